import { randomUUID } from 'node:crypto';
import { createConnection } from 'node:net';
import { RealtimeError, parseFieldText, payloadProblems } from '../domain/index.js';
import type { Domain, EmitOption, Field, ServerEvent } from '../domain/index.js';
import { connectAmqp, describe, namesOf } from './amqp.js';
import { closest, readArgs } from './args.js';
import { confirmRemote, hostOf } from './cli.js';
import type { Cli, Command } from './cli.js';
import { connectionsOf } from './connections.js';
import { parseId } from './token.js';
import { chooseApp, readApps, requireEnv } from './workspace.js';
import type { CliApp } from './workspace.js';

const TIMEOUT_MS = 5_000;

const OPTIONS = {
  app: { type: 'string' },
  tenant: { type: 'string' },
  data: { type: 'string' },
  field: { type: 'string', multiple: true },
  'message-id': { type: 'string' },
  url: { type: 'string' },
  yes: { type: 'boolean' },
} as const satisfies Record<EmitOption, object>;

export const emit: Command = {
  summary: 'publish a server event, as another service does',
  help: `nx-realtime emit <event> [options]

Publishes an event to the broker that the app's env files name: to RabbitMQ, confirmed, or to the
embedded transport. Its payload is checked against the domain file first. Prints the event's id, and on
stderr where it went, and how many sockets are connected where the app's metrics tell.

  nx-realtime emit notification.created --tenant=t1 --id=1 --message=hi --type=info
  nx-realtime emit created ...     the same, where one domain alone has such an event
  nx-realtime emit notification.created --data='{"id":"1","message":"hi","type":"info"}'

  --tenant=<id>          default t1
  --data=<json>          the payload
  --<field>=<value>      one field of it; a list separated by commas
  --field=<name=value>   the same, for a field named like an option
  --message-id=<id>      default a UUID; the same one twice is delivered once
  --url=<amqp url>       the broker, where no env file says it
  --app=<name>           which app, where several have the event
  --yes                  do not ask before publishing to a broker that is not on this machine`,

  async run(cli, args) {
    const [typed, ...rest] = args;
    const apps = readApps(cli);
    if (typed === undefined || typed.startsWith('-')) {
      throw new RealtimeError('RT038', `Which event? emit <event>; there are:\n${listed(apps)}`);
    }
    const name = fullName(apps, typed);
    const fields = named(apps, name)
      .flatMap(({ event }) => event.fields)
      .filter((field) => !Object.hasOwn(OPTIONS, field.name));
    const flags = Object.fromEntries(
      fields.map((field) => [field.name, { type: 'string' }] as const),
    );
    const { values } = readArgs(rest, { ...flags, ...OPTIONS });
    const chosen = values.app === undefined ? apps : [chooseApp(apps, values.app)];
    const [found, ...others] = named(chosen, name);
    if (!found) throw noEvent(chosen, name);
    const app = chooseApp(
      [found, ...others].map((one) => one.app),
      undefined,
    );
    const { domain } = found;
    const given = values as Readonly<Record<string, unknown>>;
    const single = fields.flatMap((field) => {
      const text = given[field.name];
      return typeof text === 'string' ? [`${field.name}=${text}`] : [];
    });
    const payload = payloadOf(found.event, values.data, [...single, ...(values.field ?? [])]);
    const data = {
      tenantId: parseId('--tenant', values.tenant ?? 't1'),
      [domain.names.camel]: payload,
    };
    const body = JSON.stringify({ pattern: found.event.name, data });
    const id = values['message-id'] ?? randomUUID();
    if (values.url === undefined && app.env['REALTIME_TRANSPORT'] === 'tcp') {
      const port = await sendTcp(app, body);
      const where = `${app.facts.name} on its embedded transport, 127.0.0.1:${port}`;
      await tell(cli, app, found, data, where);
      return 0;
    }
    if (values.url !== undefined && !/^amqps?:\/\//.test(values.url)) {
      throw new RealtimeError(
        'RT038',
        '--url is the address of RabbitMQ, amqp://host:5672; a field of that name is given by --field=url=<value>.',
      );
    }
    const hint = `Name the broker of ${app.facts.name}, where it has it from elsewhere by --url=<amqp url>, or set REALTIME_TRANSPORT=tcp. In development: npx nx-realtime env`;
    const url = values.url ?? requireEnv(app, 'RABBITMQ_URL', hint);
    const production = app.env['NODE_ENV'] === 'production';
    const what = `Publish ${found.event.name}`;
    if (!(await confirmRemote(cli, { url, production, yes: values.yes ?? false, what }))) return 1;
    const amqp = await connectAmqp(app, url);
    try {
      await amqp.publish(namesOf(app).exchange, found.event.name, Buffer.from(body), {
        messageId: id,
        timestamp: Math.floor(Date.now() / 1_000),
        contentType: 'application/json',
      });
    } finally {
      await amqp.close();
    }
    cli.out(id);
    await tell(cli, app, found, data, `${app.facts.name} by RabbitMQ at ${hostOf(url)}`);
    return 0;
  },
};

/** Says what went where, and whether anyone can have received it. */
async function tell(
  cli: Cli,
  app: CliApp,
  { domain, event }: Found,
  data: Readonly<Record<string, unknown>>,
  where: string,
): Promise<void> {
  const { to, field, otherwise } = event.audience;
  const payload = data[domain.names.camel] as Readonly<Record<string, unknown>>;
  const addressee = field === undefined ? undefined : payload[field];
  const tenant = `tenant ${String(data['tenantId'])}`;
  const whom =
    to === 'tenant' || (addressee === undefined && otherwise === 'tenant')
      ? tenant
      : `${to === 'custom' ? 'room' : to} ${String(addressee)} of ${tenant}`;
  cli.note(`Sent ${event.name} for ${whom} to ${where}.`);
  const connected = await connectionsOf(app, domain.namespace);
  if (connected === 0) {
    cli.note(`Nobody is connected to ${domain.namespace} of that app: nobody receives it.`);
  } else if (connected !== null) {
    cli.note(`Connected to ${domain.namespace} of that app, in all tenants: ${connected}.`);
  }
}

interface Found {
  readonly app: CliApp;
  readonly domain: Domain;
  readonly event: ServerEvent;
}

/**
 * The whole name of an event, of which a bare last part is enough where one domain alone has it.
 *
 * @throws RealtimeError RT033, naming the events that there are
 */
function fullName(apps: readonly CliApp[], typed: string): string {
  if (named(apps, typed).length > 0) return typed;
  const names = new Set(
    apps
      .flatMap(({ domains }) => domains)
      .flatMap(({ names: { camel }, serverEvents }) =>
        serverEvents.filter(({ name }) => name === `${camel}.${typed}`).map(({ name }) => name),
      ),
  );
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) throw noEvent(apps, typed);
  throw new RealtimeError(
    'RT033',
    `Several domains have an event "${typed}": ${[...names].join(', ')}. Give its whole name.`,
  );
}

function noEvent(apps: readonly CliApp[], name: string): RealtimeError {
  const domains = apps.flatMap((app) => app.domains);
  const sent = domains.flatMap(({ clientEvents }) => clientEvents).find((one) => one.name === name);
  if (sent) {
    return new RealtimeError(
      'RT033',
      `"${name}" is an event that clients send: emit publishes those of the server. There are:\n${listed(apps)}`,
    );
  }
  const names = domains.flatMap(({ serverEvents }) => serverEvents.map((event) => event.name));
  const bare = names.map((one) => one.slice(one.indexOf('.') + 1));
  const whole = closest(name, names);
  const last = closest(name, bare);
  const meant = whole === undefined ? names.filter((_, at) => bare[at] === last) : [whole];
  const hint = meant.length === 0 ? '' : ` Did you mean ${meant.join(' or ')}?`;
  return new RealtimeError(
    'RT033',
    `There is no event "${name}".${hint} There are:\n${listed(apps)}`,
  );
}

/** The events of this name, one for each app that has it. */
function named(apps: readonly CliApp[], name: string): Found[] {
  return apps.flatMap((app) =>
    app.domains.flatMap((domain) =>
      domain.serverEvents
        .filter((event) => event.name === name)
        .map((event) => ({ app, domain, event })),
    ),
  );
}

function listed(apps: readonly CliApp[]): string {
  return apps
    .flatMap(({ domains }) => domains)
    .flatMap(({ serverEvents }) => serverEvents)
    .map(({ name, fields }) => `  ${name} ${fields.map(signature).join(' ')}`.trimEnd())
    .join('\n');
}

const signature = ({ name, optional }: Field): string => `${name}${optional ? '?' : ''}`;

/** @throws RealtimeError RT034, naming the fields */
function payloadOf(event: ServerEvent, json: string | undefined, texts: readonly string[]): object {
  const payload: Record<string, unknown> = json === undefined ? {} : parseData(json);
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = text.slice(0, at);
    const field = event.fields.find((other) => other.name === name);
    if (!field) {
      const names = event.fields.map((other) => other.name).join(', ');
      throw new RealtimeError('RT034', `--field: "${text}" is not field=value. Fields: ${names}.`);
    }
    payload[name] = parseFieldText(field, text.slice(at + 1));
  }
  const problems = payloadProblems(event.fields, payload);
  const { field, otherwise } = event.audience;
  if (field !== undefined && otherwise === undefined && problems.length === 0) {
    if (payload[field] === undefined) problems.push(`${field}: without it the event is for nobody`);
  }
  if (problems.length === 0) return payload;
  throw new RealtimeError(
    'RT034',
    `The payload does not fit ${event.name} in its domain file:\n${problems.map((line) => `  ${line}`).join('\n')}`,
  );
}

function parseData(json: string): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(json);
    if (typeof data === 'object' && data !== null && !Array.isArray(data)) {
      return data as Record<string, unknown>;
    }
  } catch {
    // Said below.
  }
  throw new RealtimeError('RT034', `--data is no JSON object: ${json}`);
}

/** Sends it framed as Nest does; the app ends the connection in turn when it has read everything. @returns the port */
function sendTcp(app: CliApp, body: string): Promise<number> {
  const port = Number(requireEnv(app, 'REALTIME_TCP_PORT', 'Create it: npx nx-realtime env'));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RealtimeError('RT032', 'REALTIME_TCP_PORT is no port; allowed: 1 to 65535.');
  }
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    socket.once('connect', () => socket.end(`${body.length}#${body}`));
    socket.once('error', (error) =>
      reject(
        new RealtimeError(
          'RT036',
          `${app.facts.name} cannot be reached on 127.0.0.1:${port}: ${describe(error)}. Start it: nx serve ${app.facts.shortName}`,
        ),
      ),
    );
    socket.once('close', () => resolve(port));
    socket.resume();
  });
}
