import type { Socket, io } from 'socket.io-client';
import { RealtimeError } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { findDomain } from '../host/index.js';
import { describe } from './amqp.js';
import { readArgs } from './args.js';
import type { Cli, Command } from './cli.js';
import { whyRefused } from './refusal.js';
import { TOKEN_HELP, TOKEN_OPTIONS, mintToken } from './token.js';
import { chooseApp, readApps, requirePackage } from './workspace.js';
import type { CliApp } from './workspace.js';

/** Nest's port where none is set. */
const DEFAULT_PORT = '3000';
const DEFAULT_PATH = '/socket.io';

/** Refusals that a client does not come back from by itself. */
const FINAL = ['UNAUTHORIZED', 'TOKEN_EXPIRED', 'FORBIDDEN', 'NAMESPACE_REQUIRED'];

const OPTIONS = {
  ...TOKEN_OPTIONS,
  token: { type: 'string' },
  resource: { type: 'string', multiple: true },
  url: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const listen: Command = {
  summary: 'connect as a user and print each event that arrives',
  help: `nx-realtime listen [domain...] [options]

Connects to the namespaces of these domains, by default all of the app, and prints each event until
Ctrl-C. What happens to the connection goes to stderr. Exits with 1 when the app refuses the user.

  --token=<jwt>        instead of one minted for:
${TOKEN_HELP}
  --resource=<id>      subscribe to a resource, in domains with rooms "resource"; repeatable
  --url=<url>          default http://localhost:<PORT of the app's env files>; a path in it is Socket.IO's,
                       default REALTIME_PATH
  --json               one JSON object a line: namespace, event, payload, meta
  --app=<name>         which app, where several serve domains`,

  async run(cli, args) {
    const { values, positionals } = readArgs(args, OPTIONS, Infinity);
    const app = chooseApp(readApps(cli), values.app);
    const domains = chooseDomains(app, positionals);
    const { io: open } = requirePackage<{ io: typeof io }>(app, 'socket.io-client');
    const tokenOf = (): string => values.token ?? mintToken(app, values);
    tokenOf();
    const { url, path } = addressOf(app, values.url);
    const origin = app.env['REALTIME_ORIGINS']?.split(',')[0]?.trim();
    const sockets = domains.map((domain) =>
      open(`${url}${domain.namespace}`, {
        path,
        transports: ['websocket'],
        autoConnect: false,
        // Asked again at each reconnect: a token that is minted here is fresh then.
        auth: (send) => send({ token: tokenOf() }),
        ...(origin !== undefined && { extraHeaders: { origin } }),
      }),
    );
    try {
      await Promise.all(
        sockets.map((socket, index) =>
          watch(cli, app, socket, domains[index]!, {
            url: `${url}${path === DEFAULT_PATH ? '' : path}`,
            why: () => whyRefused(app, tokenOf(), values.secret),
            origin,
            json: values.json ?? false,
            resources: values.resource ?? [],
          }),
        ),
      );
      return 0;
    } finally {
      sockets.forEach((socket) => socket.disconnect());
    }
  },
};

function chooseDomains(app: CliApp, names: readonly string[]): readonly Domain[] {
  if (names.length === 0) return app.domains;
  const all = app.domains.map((domain) => ({ path: '', domain }));
  return names.map((name) => {
    const found = findDomain(all, name.replace(/^\//, ''))?.domain;
    if (found) return found;
    const known = app.domains.map((domain) => domain.names.kebabPlural).join(', ');
    throw new RealtimeError(
      'RT033',
      `${app.facts.name} has no domain "${name}". There are: ${known}.`,
    );
  });
}

/** The path of a URL is Socket.IO's, as it is in the browser. */
function addressOf({ env }: CliApp, given: string | undefined): { url: string; path: string } {
  const text = given ?? `http://localhost:${env['PORT'] ?? DEFAULT_PORT}`;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new RealtimeError('RT038', `--url: "${text}" is no URL that begins with http(s)://.`);
  }
  const { origin, pathname } = new URL(text);
  const path = pathname.replace(/\/+$/, '');
  return { url: origin, path: path === '' ? (env['REALTIME_PATH'] ?? DEFAULT_PATH) : path };
}

interface Watch {
  /** Why the token may have been refused. */
  readonly why: () => string;
  readonly url: string;
  readonly origin: string | undefined;
  readonly json: boolean;
  readonly resources: readonly string[];
}

/**
 * Prints what a socket receives until Ctrl-C.
 *
 * @throws RealtimeError RT036 when nothing answers at first, RT041 when the app refuses the user
 */
function watch(
  cli: Cli,
  app: CliApp,
  socket: Socket,
  domain: Domain,
  options: Watch,
): Promise<void> {
  const { namespace } = domain;
  let wasConnected = false;
  return new Promise((resolve, reject) => {
    if (cli.signal.aborted) return resolve();
    cli.signal.addEventListener('abort', () => resolve(), { once: true });
    socket.on('connect', () => {
      wasConnected = true;
      cli.note(`connected to ${namespace}`);
      if (domain.rooms === 'resource') subscribe(cli, socket, domain, options.resources);
    });
    socket.on(
      'connect_error',
      (error: Error & { data?: { code?: string; retryAfterMs?: number } }) => {
        const { code, retryAfterMs } = error.data ?? {};
        if (code === undefined && socket.active) {
          // No answer at all: worth another try once there was one.
          if (wasConnected) return;
          const { description } = error as { description?: { message?: string } };
          if (description?.message?.startsWith('Unexpected server response')) {
            return reject(
              new RealtimeError(
                'RT041',
                `${app.facts.name} refuses the connection: ${description.message}. Is ${options.origin ?? 'a client without an origin'} allowed by the REALTIME_ORIGINS and REALTIME_ALLOW_NO_ORIGIN that it runs with?`,
              ),
            );
          }
          return reject(
            new RealtimeError(
              'RT036',
              `${app.facts.name} cannot be reached at ${options.url}: ${describe(error)}. Start it: nx serve ${app.facts.shortName}; or name its address: --url, with the path of Socket.IO where REALTIME_PATH or a proxy gives it another`,
            ),
          );
        }
        if (code === undefined || FINAL.includes(code)) {
          return reject(
            new RealtimeError(
              'RT041',
              `${namespace} refuses: ${code ?? ''} ${error.message}${code === undefined ? '' : `. The token: ${options.why()}`}`,
            ),
          );
        }
        cli.note(`${namespace} refuses for now: ${code} ${error.message}`);
        setTimeout(() => socket.connect(), retryAfterMs ?? 1_000).unref();
      },
    );
    socket.on('disconnect', (reason) => {
      if (cli.signal.aborted) return;
      cli.note(`disconnected from ${namespace}: ${reason}`);
      // The server has cut this user: Socket.IO would not come back, and a kicked user must not.
      if (!socket.active)
        reject(new RealtimeError('RT041', `${namespace} has cut the connection.`));
    });
    socket.onAny((event: string, payload: unknown, meta: { at?: string } | undefined) => {
      if (event.startsWith('realtime.')) return cli.note(`${namespace} ${event}`);
      cli.out(
        options.json
          ? JSON.stringify({ namespace, event, payload, meta })
          : `${meta?.at ?? ''} ${event} ${JSON.stringify(payload)}`.trimStart(),
      );
    });
    socket.connect();
  });
}

function subscribe(cli: Cli, socket: Socket, domain: Domain, ids: readonly string[]): void {
  if (ids.length === 0) cli.note(`${domain.namespace}: no --resource, so no resource's events`);
  for (const id of ids) {
    socket.emit(
      `${domain.names.camel}.subscribe`,
      { id },
      ({ ok, error }: { ok: boolean; error?: { code: string; message: string } }) =>
        cli.note(
          ok
            ? `subscribed to ${id}`
            : `may not subscribe to ${id}: ${error?.code} ${error?.message}`,
        ),
    );
  }
}
