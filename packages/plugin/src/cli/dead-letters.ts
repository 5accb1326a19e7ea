import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { GetMessage, MessageProperties, Options } from 'amqplib';
import { RealtimeError } from '../domain/index.js';
import { connectAmqp, describe, namesOf } from './amqp.js';
import type { Amqp } from './amqp.js';
import { readArgs } from './args.js';
import { ask, confirmRemote, hostOf } from './cli.js';
import type { Cli, Command } from './cli.js';
import { chooseApp, readApps, requireEnv } from './workspace.js';
import type { CliApp } from './workspace.js';

/** Most rows of a list. */
const DEFAULT_LIMIT = '100';

/**
 * RabbitMQ 4 drops a message that was given back twenty times, and looking at one gives it back. One
 * that was looked at this often is replaced by a copy, which begins at zero.
 */
const LOOKS = 10;

const OPTIONS = {
  app: { type: 'string' },
  id: { type: 'string', multiple: true },
  pattern: { type: 'string', multiple: true },
  all: { type: 'boolean' },
  limit: { type: 'string' },
  json: { type: 'boolean' },
  yes: { type: 'boolean' },
} as const;

export const deadLetters: Command = {
  summary: 'list, replay or discard the events that could not be handled',
  help: `nx-realtime dead-letters [list|replay|discard] [options]

Works on the queue realtime.<name>.dead (REALTIME_NAME, else <app>, with @<NODE_ENV> where that is
not production) of the RABBITMQ_URL that the environment or the app's env files
name. Replaying publishes an event again to its app, with its id, and removes it from the queue when
RabbitMQ has confirmed it: when it is killed in between, the event is delivered again, not lost.

  list                   the default; changes nothing
    --limit=<count>      how many to show; default ${DEFAULT_LIMIT}
    --json               one JSON object a line
  replay, discard        need one of:
    --id=<id>            the event's id; repeatable
    --pattern=<event>    notification.created; repeatable
    --all
    --yes                do not ask: before discarding, and before a change of a broker that is not
                         on this machine
  --app=<name>           which app, where several serve domains`,

  async run(cli, args) {
    const { values, positionals } = readArgs(args, OPTIONS, Infinity);
    const [verb = 'list', ...others] = positionals;
    if (!['list', 'replay', 'discard'].includes(verb) || others.length > 0) {
      throw new RealtimeError(
        'RT038',
        `dead-letters ${positionals.join(' ')}: use list, replay or discard.`,
      );
    }
    const app = chooseApp(readApps(cli), values.app);
    const url = urlOf(app);
    const chosen = choose(values);
    if (verb !== 'list') {
      if (!values.all && values.id === undefined && values.pattern === undefined) {
        throw new RealtimeError(
          'RT038',
          `dead-letters ${verb}: which? Pass --id, --pattern or --all.`,
        );
      }
      const production = app.env['NODE_ENV'] === 'production';
      const yes = values.yes ?? false;
      const host = hostOf(url);
      const sure =
        verb === 'discard'
          ? yes ||
            (await ask(cli, `Discard dead letters of ${app.facts.name} on ${host} for good?`))
          : await confirmRemote(cli, { url, production, yes, what: 'Replay dead letters' });
      if (!sure) return 1;
    }
    const amqp = await connectAmqp(app, url);
    try {
      const queue = await DeadLetterQueue.open(amqp, app, hostOf(url));
      if (verb === 'list') {
        return await list(cli, queue, chosen, limitOf(values.limit ?? DEFAULT_LIMIT), values.json);
      }
      return verb === 'replay'
        ? await replay(cli, queue, chosen)
        : await discard(cli, queue, chosen);
    } catch (error) {
      if (error instanceof RealtimeError) throw error;
      throw new RealtimeError(
        'RT036',
        `The connection to RabbitMQ at ${hostOf(url)} was lost: ${describe(error)}. What was not replayed or discarded is still in the queue: run it again.`,
      );
    } finally {
      await amqp.close();
    }
  },
};

/** A message of the queue and what is known of it. */
interface DeadLetter {
  readonly message: GetMessage;
  readonly id: string | undefined;
  readonly pattern: string | undefined;
  readonly reason: string;
  /** Time of dead-lettering, else of publication. */
  readonly since: Date | undefined;
}

type Choice = (letter: DeadLetter) => boolean;

/** Takes each message at most once; what is neither removed nor replaced is given back in the end. */
class DeadLetterQueue {
  private removed = 0;

  private constructor(
    private readonly amqp: Amqp,
    private readonly exchange: string,
    readonly name: string,
    /** At the beginning: what comes later, a replayed event that failed again too, is left alone. */
    readonly count: number,
  ) {}

  static async open(amqp: Amqp, app: CliApp, host: string): Promise<DeadLetterQueue> {
    const { queue, exchange } = namesOf(app);
    const name = `${queue}.dead`;
    try {
      const { messageCount } = await amqp.channel.checkQueue(name);
      return new DeadLetterQueue(amqp, exchange, name, messageCount);
    } catch (error) {
      throw new RealtimeError(
        'RT036',
        `RabbitMQ at ${host} has no queue ${name}: ${describe(error)}. ${app.facts.name} declares it when it runs with this RABBITMQ_URL. Of another environment: set REALTIME_NAME or NODE_ENV as there.`,
      );
    }
  }

  async *take(limit: number): AsyncGenerator<DeadLetter> {
    for (let taken = 0; taken < Math.min(limit, this.count); taken += 1) {
      const message = await this.amqp.channel.get(this.name, { noAck: false });
      if (!message) return;
      yield letterOf(message);
    }
  }

  remove({ message }: DeadLetter): void {
    this.amqp.channel.ack(message);
    this.removed += 1;
  }

  /** @throws RealtimeError RT036: it was not published, and stays */
  async replay({ message, pattern }: DeadLetter): Promise<void> {
    if (pattern === undefined) {
      throw new RealtimeError('RT036', 'nothing says which event it is.');
    }
    const properties = published(message.properties);
    await this.amqp.publish(this.exchange, pattern, message.content, properties);
  }

  /** Gives a message back; one that was given back often, as a copy. */
  async giveBack({ message }: DeadLetter): Promise<void> {
    const { properties, content } = message;
    if (Number(properties.headers?.['x-delivery-count'] ?? 0) < LOOKS) return;
    await this.amqp.publish(
      '',
      this.name,
      content,
      optionsOf(properties, properties.headers ?? {}),
    );
    this.amqp.channel.ack(message);
  }

  /** Every removal is made, and the others are in the queue again, where the next command finds them. */
  async close(): Promise<void> {
    const { channel } = this.amqp;
    channel.nackAll(true);
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const { messageCount } = await channel.checkQueue(this.name);
      if (messageCount >= this.count - this.removed) break;
      await delay(50);
    }
    await channel.close();
  }
}

async function list(
  cli: Cli,
  queue: DeadLetterQueue,
  chosen: Choice,
  limit: number,
  json = false,
): Promise<number> {
  let shown = 0;
  for await (const letter of queue.take(limit)) {
    if (chosen(letter)) {
      shown += 1;
      cli.out(json ? JSON.stringify(jsonOf(letter)) : lineOf(letter));
    }
    await queue.giveBack(letter);
  }
  await queue.close();
  const rest = queue.count > limit ? ` The first ${limit} were looked at: --limit for more.` : '';
  cli.note(`${shown} of ${queue.count} in ${queue.name}.${rest}`);
  return 0;
}

async function replay(cli: Cli, queue: DeadLetterQueue, chosen: Choice): Promise<number> {
  const done = new Set<string>();
  const failed: string[] = [];
  let replayed = 0;
  let duplicates = 0;
  for await (const letter of queue.take(Infinity)) {
    if (cli.signal.aborted) break;
    if (!chosen(letter)) {
      await queue.giveBack(letter);
      continue;
    }
    // One event is here several times when several replicas could not handle it.
    const key = keyOf(letter);
    if (key !== undefined && done.has(key)) {
      queue.remove(letter);
      duplicates += 1;
      continue;
    }
    try {
      await queue.replay(letter);
      queue.remove(letter);
      replayed += 1;
      if (key !== undefined) done.add(key);
    } catch (error) {
      if (!(error instanceof RealtimeError)) throw error;
      failed.push(`${letter.id ?? '(no id)'} ${letter.pattern ?? ''}: ${error.message}`);
      await queue.giveBack(letter);
    }
  }
  await queue.close();
  failed.forEach((line) => cli.note(`not replayed: ${line}`));
  const also = duplicates > 0 ? `, ${duplicates} duplicates of them removed` : '';
  cli.note(
    `${replayed} replayed${also}, ${failed.length} not, of ${queue.count} in ${queue.name}.`,
  );
  return failed.length > 0 || cli.signal.aborted ? 1 : 0;
}

async function discard(cli: Cli, queue: DeadLetterQueue, chosen: Choice): Promise<number> {
  let discarded = 0;
  for await (const letter of queue.take(Infinity)) {
    if (cli.signal.aborted) break;
    if (chosen(letter)) {
      queue.remove(letter);
      discarded += 1;
    } else {
      await queue.giveBack(letter);
    }
  }
  await queue.close();
  cli.note(`${discarded} discarded of ${queue.count} in ${queue.name}.`);
  return 0;
}

/** @throws RealtimeError RT032 */
function urlOf(app: CliApp): string {
  const hint =
    app.env['REALTIME_TRANSPORT'] === 'tcp'
      ? 'The embedded transport (REALTIME_TRANSPORT=tcp) has no dead letters: what it drops stands in the log of the app.'
      : 'Name the broker: RABBITMQ_URL=amqp://… npx nx-realtime dead-letters';
  return requireEnv(app, 'RABBITMQ_URL', hint);
}

function choose(values: {
  readonly id?: readonly string[] | undefined;
  readonly pattern?: readonly string[] | undefined;
}): Choice {
  return ({ id, pattern }) =>
    (values.id === undefined || (id !== undefined && values.id.includes(id))) &&
    (values.pattern === undefined || (pattern !== undefined && values.pattern.includes(pattern)));
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new RealtimeError('RT038', `--limit: "${text}" is no count.`);
}

/** RabbitMQ's entries about a dead letter, the latest first. */
interface Death {
  readonly reason?: string;
  readonly count?: number;
  readonly 'routing-keys'?: readonly string[];
  readonly time?: { readonly value?: number };
}

function letterOf(message: GetMessage): DeadLetter {
  const { headers = {}, messageId, timestamp } = message.properties;
  const deaths = (Array.isArray(headers['x-death']) ? headers['x-death'] : []) as Death[];
  const [latest] = deaths;
  const reason: unknown = headers['x-realtime-reason'];
  const written = Date.parse(textOf(headers['x-realtime-dead-since']) ?? '') / 1_000;
  const seconds = written || (latest?.time?.value ?? Number(timestamp));
  return {
    message,
    id: typeof messageId === 'string' && messageId !== '' ? messageId : undefined,
    pattern: textOf(headers['x-realtime-routing-key']) ?? deaths.at(-1)?.['routing-keys']?.[0],
    reason: textOf(reason) ?? latest?.reason ?? 'unknown',
    // Later than the year 9999 is a publisher's mistake: milliseconds.
    since: seconds > 0 && seconds < 253_402_300_800 ? new Date(seconds * 1_000) : undefined,
  };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** The same event: its id, its name and its bytes. */
function keyOf({ id, pattern, message }: DeadLetter): string | undefined {
  if (id === undefined) return undefined;
  return JSON.stringify([id, pattern, createHash('sha256').update(message.content).digest('hex')]);
}

/** The message as it was published first: without later headers, so that its retries begin anew. */
function published(properties: MessageProperties): Options.Publish {
  const kept = Object.entries(properties.headers ?? {}).filter(
    ([name]) =>
      !/^(?:x-realtime-|x-death$|x-first-death-|x-last-death-|x-delivery-count$|x-acquired-count$|B?CC$)/.test(
        name,
      ),
  );
  return optionsOf(properties, Object.fromEntries(kept));
}

function optionsOf(properties: MessageProperties, headers: object): Options.Publish {
  const { messageId, timestamp, contentType, contentEncoding } = properties as Options.Publish;
  return {
    ...(messageId !== undefined && { messageId }),
    ...(timestamp !== undefined && { timestamp }),
    ...(contentType !== undefined && { contentType }),
    ...(contentEncoding !== undefined && { contentEncoding }),
    headers,
  };
}

function jsonOf({ message, id, pattern, reason, since }: DeadLetter): object {
  return {
    id,
    pattern,
    reason,
    since: since?.toISOString(),
    bytes: message.content.length,
    body: message.content.toString(),
  };
}

/** One line, whatever is in it: a publisher has chosen the id and the name. */
function lineOf({ id, pattern, reason, since }: DeadLetter): string {
  const age = since ? ageOf(Date.now() - since.getTime()) : '?';
  return [age.padStart(4), id ?? '(no id)', pattern ?? '?', reason]
    .join('  ')
    .replaceAll(/\p{Cc}/gu, '?');
}

function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
