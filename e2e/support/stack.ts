import { randomBytes } from 'node:crypto';
import { parseEnv } from 'node:util';
import type { Host } from './host';
import { freePort } from './ports';
import type { Running } from './processes';
import { Recorder, until } from './recorder';
import { mintToken, type Claims } from './token';

/** The secret of the servers that a test boots. */
export const JWT_SECRET = randomBytes(32).toString('hex');

/** Who listens in every delivery test: two users in each of two tenants. */
export const USERS: readonly Claims[] = [
  { tenantId: 't1', sub: 'u1' },
  { tenantId: 't1', sub: 'u2' },
  { tenantId: 't2', sub: 'u1' },
  { tenantId: 't2', sub: 'u2' },
];

/** Ports and places of a host's two apps, chosen before anything is built: Next compiles the API's URL in. */
export interface Ports {
  readonly api: number;
  readonly web: number;
  readonly tcp: number;
}

export async function choosePorts(): Promise<Ports> {
  return { api: await freePort(), web: await freePort(), tcp: await freePort() };
}

export function urlsOf({ api, web }: Ports): { readonly api: string; readonly web: string } {
  return { api: `http://localhost:${api}`, web: `http://localhost:${web}` };
}

/** Where the production build of an app lands. */
export function distOf(host: Host, app: 'api-gateway' | 'web'): string {
  const solution = host.has(`apps/${app}/package.json`);
  if (app === 'web') return `apps/web`;
  return solution ? `apps/${app}/dist` : `dist/apps/${app}`;
}

/** Boots the built API on the embedded transport: no broker, no Redis. */
export function startApiEmbedded(
  host: Host,
  ports: Ports,
  env: NodeJS.ProcessEnv = {},
): Promise<Running> {
  return startApi(host, 'api-embedded', ports.api, ports, {
    REALTIME_TRANSPORT: 'tcp',
    REALTIME_TCP_PORT: String(ports.tcp),
    ...env,
  });
}

/** Boots the built API as in production, on RabbitMQ and Redis. */
export function startApiOnBrokers(
  host: Host,
  port: number,
  ports: Ports,
  brokers: { readonly rabbitmq: string; readonly redis: string },
): Promise<Running> {
  return startApi(host, `api-brokers-${port}`, port, ports, {
    NODE_ENV: 'production',
    REALTIME_TRANSPORT: 'rmq',
    RABBITMQ_URL: brokers.rabbitmq,
    REDIS_URL: brokers.redis,
  });
}

/** As in production, on RabbitMQ, one replica. */
export function startApiOnBroker(host: Host, ports: Ports, rabbitmq: string): Promise<Running> {
  return startApi(host, 'api-broker', ports.api, ports, {
    NODE_ENV: 'production',
    REALTIME_TRANSPORT: 'rmq',
    RABBITMQ_URL: rabbitmq,
  });
}

function startApi(
  host: Host,
  label: string,
  port: number,
  ports: Ports,
  env: NodeJS.ProcessEnv,
): Promise<Running> {
  return host.start(
    label,
    `exec node ${distOf(host, 'api-gateway')}/main.js`,
    { http: `http://localhost:${port}/api` },
    {
      PORT: String(port),
      REALTIME_JWT_SECRET: JWT_SECRET,
      REALTIME_ORIGINS: urlsOf(ports).web,
      // Tests wait for tokens to expire.
      JWT_CLOCK_TOLERANCE_S: '0',
      ...env,
    },
  );
}

/** Starts the built Next.js app. */
export function startWeb(host: Host, ports: Ports): Promise<Running> {
  return host.start(
    'web',
    `exec npx next start apps/web --port ${ports.web}`,
    { http: urlsOf(ports).web },
    { NODE_ENV: 'production' },
  );
}

/** Connects a recorder for each of `USERS`, named `<tenant>/<user>`. */
export function connectUsers(
  urlOf: (index: number) => string,
  namespace: string,
): Promise<Recorder[]> {
  return Promise.all(
    USERS.map((claims, index) =>
      Recorder.connect(`${claims.tenantId}/${claims.sub}`, urlOf(index), namespace, {
        token: mintToken(JWT_SECRET, claims),
      }),
    ),
  );
}

/** The development environment of an app, as `.env.local` states it. */
export function readDevEnv(host: Host, app: string): Record<string, string> {
  return parseEnv(host.read(`apps/${app}/.env.local`)) as Record<string, string>;
}

/** Tries until it succeeds: for what is up a moment after its server answers. */
export async function eventually<T>(attempt: () => Promise<T>, timeoutMs = 30_000): Promise<T> {
  let result: { readonly value: T } | undefined;
  let last: unknown;
  await until(
    async () => {
      try {
        result = { value: await attempt() };
      } catch (error) {
        last = error;
      }
      return result !== undefined;
    },
    () => String(last),
    timeoutMs,
  );
  return (result as { readonly value: T }).value;
}

/** Adds a page that signs in with the token after `#` and lists what arrived, as an owner would write it. */
export function addPage(host: Host): void {
  host.write(
    'apps/web/src/app/inbox/page.tsx',
    `'use client';

import { useEffect } from 'react';
import { useChatsStore } from '../../features/chats/realtime/use-chats-store';
import { useNotificationsStore } from '../../features/notifications/realtime/use-notifications-store';
import { useAuthStore } from '../../stores/auth.store';

export default function Inbox() {
  const notifications = useNotificationsStore((state) => state.notifications);
  const chats = useChatsStore((state) => state.chats);
  useEffect(() => {
    useAuthStore.getState().setAccessToken(window.location.hash.slice(1) || null);
  }, []);
  return (
    <main>
      <h1>Notifications</h1>
      <ul id="notifications">
        {notifications.map(({ id, message }) => (
          <li key={id}>{message}</li>
        ))}
      </ul>
      <h1>Chats</h1>
      <ul id="chats">
        {chats.map(({ id, message }) => (
          <li key={id}>{message}</li>
        ))}
      </ul>
    </main>
  );
}
`,
  );
}
