import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RecentIds } from '../broker/recent-ids';
import type { LinkHealth } from '../observability/link-health';
import { loadPackage } from '../packages';
import { report } from '../observability/diagnostics';

/**
 * Approximate length of the stream: a replica that was cut off reads on from
 * there.
 */
const KEPT_ENTRIES = 50_000;
/** Most entries of one round trip, in either direction. */
const BATCH = 200;
/**
 * Keys that are remembered: the next consumer of a broker event appends again
 * what the last one has.
 */
const RECENT_ENTRIES = 20_000;
/** Most messages that wait for Redis; broker events wait in RabbitMQ. */
const MAX_WAITING = 10_000;
const BLOCK_MS = 2_000;
/** A connection that is silent for longer is dead. */
const ANSWER_MS = 5_000;
const RETRY_MS = 250;
/** A replica without Redis for longer leaves broker events to another one. */
const LOST_MS = 5_000;
/** Time that a start and a stop wait for Redis. */
const PATIENCE_MS = 2_000;
/** Time that `remember` keeps a message, and number of messages of a name. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;
const MAX_REMEMBERED = 10_000;

const CLUSTER =
  'REDIS_URL is that of a Redis Cluster, which is not supported: give the replicas a Redis that is not one';
/** By `redis_mode`. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['cluster', CLUSTER],
  [
    'sentinel',
    'REDIS_URL is that of a Sentinel, which is not supported: give the address of the primary, or of a proxy or DNS name that follows it',
  ],
]);

interface Entry {
  readonly key: string;
  readonly body: string;
  readonly isBrokerEvent: boolean;
  readonly taken: () => void;
  readonly refused: (error: Error) => void;
}

export interface StreamReader {
  /** Gets each message once, in the order of the stream. */
  read(message: unknown): void;
  /** Messages before this moment were missed. */
  missed(): void;
  /** Nothing could be appended for a while. */
  lost(): void;
}

/**
 * A Redis stream that every replica of an app appends to and reads. An outage
 * loses nothing: what is appended waits, and every reader goes on from where
 * it was.
 */
export class ReplicaStream {
  private readonly logger = new Logger('Redis');
  private readonly recent = new RecentIds(RECENT_ENTRIES);
  private readonly stopping = new AbortController();
  private readonly waitingForLink = new Set<() => void>();
  private waiting: Entry[] = [];
  private writing: Promise<void> | undefined;
  private reader: StreamReader | undefined;
  private state: 'linked' | 'cut' | 'lost' = 'cut';
  private lostTimer: NodeJS.Timeout | undefined;
  private sequence = 0;
  private begin: () => void = () => undefined;
  private readonly begun = new Promise<void>((resolve) => {
    this.begin = resolve;
  });

  private constructor(
    private readonly input: Redis,
    private readonly output: Redis,
    private readonly key: string,
    private readonly id: string,
    private readonly linked: () => Promise<void>,
  ) {
    for (const client of [input, output]) {
      client.on('error', (error) => this.failed(error));
      client.on('close', () => this.failed(new Error('connection closed')));
    }
    void this.run();
  }

  /**
   * Resolves once the stream is found, or without it after a while. Rejects where
   * the URL is that of a Redis Cluster or a Sentinel.
   *
   * @param key of the deployment: it alone keeps those apart that share a Redis
   * @param id differs in every process
   * @param linked runs before the first message is read, and after a gap
   */
  static async open(
    url: string,
    key: string,
    id: string,
    linked: (stream: ReplicaStream) => Promise<void>,
  ): Promise<ReplicaStream> {
    const { Redis } = loadPackage<typeof import('ioredis')>(
      'ioredis',
      'REDIS_URL',
    );
    const options = {
      // This class tries again what fails, in order.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: ANSWER_MS,
      retryStrategy: (attempt: number) => Math.min(attempt * 100, 1_000),
    };
    const clients = [new Redis(url, options), new Redis(url, options)] as const;
    const opened = clients.map(
      (client) =>
        new Promise<unknown>((resolve) => {
          client.once('ready', resolve).once('error', resolve);
        }),
    );
    const [fault] = (await Promise.all(opened)).filter(Boolean);
    const problem = await modeProblem(clients[0]);
    if (problem !== undefined) {
      clients.forEach((client) => client.disconnect());
      throw new Error(problem);
    }
    const stream: ReplicaStream = new ReplicaStream(...clients, key, id, () =>
      linked(stream),
    );
    if (fault) {
      stream.failed(fault);
    }
    await within(stream.ready());
    return stream;
  }

  /** Begins to read, after the last message that there was at the opening. */
  read(reader: StreamReader): void {
    this.reader = reader;
    this.begin();
  }

  /**
   * Resolves when Redis has the message. One with an event's key is read once,
   * however often it is appended; it is refused while Redis is lost.
   */
  append(message: object, eventKey?: string): Promise<void> {
    const isBrokerEvent = eventKey !== undefined;
    const key = eventKey ?? `${this.id} ${(this.sequence += 1)}`;
    const body = JSON.stringify(message);
    const appended = new Promise<void>((taken, refused) => {
      const isFull = this.waiting.length >= MAX_WAITING;
      if (isBrokerEvent ? this.state === 'lost' : isFull) {
        report('redis.publish-error', {});
        refused(new Error('Redis does not answer'));
      } else {
        this.waiting.push({ key, body, isBrokerEvent, taken, refused });
      }
    });
    // Some callers do not wait for it.
    appended.catch(() => undefined);
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return appended;
  }

  /** Keeps a message for replicas that start later. */
  async remember(name: string, message: object): Promise<void> {
    const key = `${this.key}:${name}`;
    const now = Date.now();
    await this.output
      .multi()
      .zadd(key, now, JSON.stringify(message))
      .zremrangebyscore(key, '-inf', now - REMEMBERED_MS)
      .zremrangebyrank(key, 0, `-${MAX_REMEMBERED + 1}`)
      .pexpire(key, REMEMBERED_MS)
      .exec();
  }

  async remembered(name: string): Promise<unknown[]> {
    const messages = await this.output.zrange(`${this.key}:${name}`, '0', '-1');
    return messages.map((message) => JSON.parse(message) as unknown);
  }

  health(): LinkHealth {
    const ok = this.state === 'linked';
    return { ok, detail: ok ? 'connected' : 'Redis does not answer' };
  }

  /** Resolves while Redis takes and gives messages. */
  async ready(): Promise<void> {
    if (this.state !== 'linked') {
      await new Promise<void>((resolve) => this.waitingForLink.add(resolve));
    }
  }

  async close(): Promise<void> {
    if (this.state === 'linked' && this.writing) {
      await within(this.writing);
    }
    this.stopping.abort();
    clearTimeout(this.lostTimer);
    this.refuse(() => true);
    this.input.disconnect();
    this.output.disconnect();
  }

  private async run(): Promise<void> {
    let position: string | undefined;
    while (!this.stopping.signal.aborted) {
      try {
        position = await this.resume(position);
        await this.begun;
        position = await this.readOn(position);
      } catch (error) {
        await this.recover(this.input, error);
      }
    }
  }

  /** The position to read on from, by both connections. */
  private async resume(position: string | undefined): Promise<string> {
    if (position !== undefined && this.state === 'linked') {
      return position;
    }
    // Our own entry shows that nothing is missing between it and the position.
    const mark = await this.add([{ key: `${this.id} mark`, body: '{}' }]);
    if (position !== undefined && (await this.isKept(position))) {
      this.link();
      return position;
    }
    await this.linked();
    if (position !== undefined) {
      this.logger.error('Messages of other replicas are lost: Redis is behind');
      report('redis.gap', {});
    }
    this.reader?.missed();
    this.link();
    return mark;
  }

  private async readOn(position: string): Promise<string | undefined> {
    const stream = `${this.key}:stream`;
    const found = await this.input.xread(
      'COUNT',
      BATCH,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      stream,
      position,
    );
    const entries = found?.[0]?.[1] ?? [];
    // The reader is so far behind that the stream may have been cut in between.
    if (entries.length === BATCH && !(await this.isKept(position))) {
      this.state = 'cut';
      return position;
    }
    for (const [, [, key = '', , body = '{}']] of entries) {
      if (this.recent.add(key)) {
        this.deliver(body);
      }
    }
    return entries.at(-1)?.[0] ?? position;
  }

  private deliver(body: string): void {
    try {
      this.reader?.read(JSON.parse(body));
    } catch (error) {
      this.logger.error(error);
    }
  }

  private async isKept(position: string): Promise<boolean> {
    const stream = `${this.key}:stream`;
    const found = await this.input.xrange(stream, position, position);
    return found.length > 0;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH);
      try {
        await this.add(batch);
        const written = new Set(batch);
        this.waiting = this.waiting.filter((entry) => !written.has(entry));
        batch.forEach(({ taken }) => taken());
      } catch (error) {
        report('redis.publish-error', {});
        await this.recover(this.output, error);
      }
    }
  }

  /**
   * Adds all of the entries in this order, or none. Returns the id of the last
   * one.
   */
  private async add(
    entries: readonly Pick<Entry, 'key' | 'body'>[],
  ): Promise<string> {
    const transaction = this.output.multi();
    for (const { key, body } of entries) {
      transaction.xadd(
        `${this.key}:stream`,
        'MAXLEN',
        '~',
        KEPT_ENTRIES,
        '*',
        'key',
        key,
        'body',
        body,
      );
    }
    const results = (await transaction.exec()) ?? [];
    const [error, id] = results.at(-1) ?? [new Error('refused')];
    if (error) {
      throw error;
    }
    return String(id);
  }

  private link(): void {
    clearTimeout(this.lostTimer);
    this.lostTimer = undefined;
    if (this.state !== 'linked') {
      this.state = 'linked';
      this.logger.log('Linked to the other replicas');
      report('redis.state', { ok: true });
      this.waitingForLink.forEach((resolve) => resolve());
      this.waitingForLink.clear();
    }
  }

  private failed(error: unknown): void {
    if (this.stopping.signal.aborted) {
      return;
    }
    if (this.state === 'linked') {
      this.state = 'cut';
      report('redis.state', { ok: false });
    }
    if (!this.lostTimer) {
      this.logger.error(`Other replicas receive nothing: ${reasonOf(error)}`);
      this.lostTimer = setTimeout(() => {
        this.state = 'lost';
        this.refuse(({ isBrokerEvent }) => isBrokerEvent);
        this.reader?.lost();
      }, LOST_MS);
      this.lostTimer.unref();
    }
  }

  private async recover(client: Redis, error: unknown): Promise<void> {
    this.failed(error);
    // A connection that answers nothing would stay for minutes.
    if (client.status === 'ready') {
      client.disconnect(true);
    }
    await delay(RETRY_MS, undefined, { signal: this.stopping.signal }).catch(
      () => undefined,
    );
  }

  private refuse(which: (entry: Entry) => boolean): void {
    const refused = this.waiting.filter(which);
    this.waiting = this.waiting.filter((entry) => !which(entry));
    refused.forEach((entry) => entry.refused(new Error('Redis is lost')));
  }
}

/** What is wrong with what the URL leads to, by what it calls itself. */
async function modeProblem(client: Redis): Promise<string | undefined> {
  // It may be away, or keep INFO to others.
  const info = await client.info('server').catch(() => '');
  const [, mode = ''] = /^redis_mode:(\w+)/m.exec(info) ?? [];
  return UNSUPPORTED.get(mode);
}

/** ioredis tells that a transaction was discarded, and hides why. */
function reasonOf(error: unknown): string {
  const { previousErrors = [] } = Object(error) as { previousErrors?: Error[] };
  const all = [error, ...previousErrors].map(String);
  const isCluster = all.some((text) =>
    /MOVED|CROSSSLOT|CLUSTERDOWN/.test(text),
  );
  return [...(isCluster ? [CLUSTER] : []), ...new Set(all)].join('; ');
}

async function within(work: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const { signal } = timer;
  const timeout = delay(PATIENCE_MS, undefined, { signal });
  await Promise.race([work, timeout.catch(() => undefined)]);
  timer.abort();
}
