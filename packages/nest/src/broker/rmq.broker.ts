import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Server } from '@nestjs/microservices';
import type {
  AmqpConnectionManager,
  connect as Connect,
} from 'amqp-connection-manager';
import type { ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { RequestContextRunner } from '../events/request-context';
import { report } from '../observability/diagnostics';
import type { LinkHealth } from '../observability/link-health';
import { loadPackage, requirePackage } from '../packages';
import type { Replicas } from '../replicas/replicas';
import { invalid, type RpcFailure } from './base-rpc.exception';
import {
  BrokerDispatcher,
  type BrokerEnvelope,
  type Delivery,
  MAX_EVENT_BYTES,
  type Outcome,
  parseEnvelope,
  type RealtimeBroker,
} from './broker';
import { isBrokerHandler, REALTIME_BROKER } from './broker-event';
import { DeadLetterQueue } from './dead-letter-queue';
import { again, DEAD_LETTERS, HandedOn } from './handed-on';
import { EVENT_POLICY, type EventPolicy } from './event-policy';
import { describe } from './own';
import { SHARE } from './lanes';
import type { Moved } from './ordered-output';
import { WaitingQueues } from './waiting-queues';

/** Half of it is for tenants that are not held up: see Lanes. */
const PREFETCH = 2 * SHARE;
/** Tenants that are held up are looked for so often. */
const RELIEVE_MS = 250;
const BLOCKED = 'RabbitMQ takes no messages:';
/** Most deliveries of an event that takes its consumers down with it. */
const DELIVERY_LIMIT = 20;
/** A replica that is away for longer has lost its queue. */
const REPLICA_EXPIRES_MS = 30 * 60_000;
const RECONNECT_MS = 2_000;
/**
 * It may be the same replica, cut off unseen: RabbitMQ drops that within
 * seconds.
 */
const SAME_NAME =
  'the queue has a consumer: REALTIME_REPLICA must differ between replicas';

/** End of an event on this replica. */
type End = Exclude<Outcome, { kind: 'apart' }>;

/** Options of RmqBroker. */
export interface RmqOptions {
  /** Name of a replica that has a queue of its own, and shares none. */
  readonly replica?: string | undefined;
  readonly replicas?: Replicas | undefined;
  readonly policy?: Partial<EventPolicy> | undefined;
  /** Exchange that events are published to; by default `realtime.events`. */
  readonly exchange?: string | undefined;
  /** Names that the app had: their queues would fill without end. */
  readonly formerNames?: readonly string[] | undefined;
  /** Dead letters that are kept; by default 100,000. */
  readonly maxDeadLetters?: number | undefined;
}

/**
 * Consumes the broker's events: from the one queue of the app, of which one
 * replica at a time is the consumer, or from a queue of this replica.
 */
export class RmqBroker extends Server implements RealtimeBroker {
  override readonly transportId = REALTIME_BROKER;
  protected override readonly logger = new Logger('RealtimeBroker');
  readonly dispatcher: BrokerDispatcher;
  private readonly exchange: string;
  private readonly appQueue: string;
  private readonly deadQueue: string;
  private readonly deadLetters: DeadLetterQueue;
  private readonly formerQueues: readonly string[];
  private leftBehind: readonly string[] = [];
  private readonly queue: string;
  private readonly replica: string | undefined;
  private readonly replicas: Replicas | undefined;
  private readonly connect: typeof Connect;
  private readonly consumerTag = `realtime-${randomUUID()}`;
  private readonly stopping = new AbortController();
  private connection: AmqpConnectionManager | undefined;
  private output: HandedOn | undefined;
  private channel: ConfirmChannel | undefined;
  private retry: NodeJS.Timeout | undefined;
  private relieving: NodeJS.Timeout | undefined;
  private fatal: (error: Error) => void = () => undefined;
  private state: LinkHealth = { ok: false, detail: 'not started' };
  /** True where the queue was not there for a while: events passed it by. */
  private missed: boolean;
  /** Time that it last ceased to consume at. */
  private consumedAt = Date.now();
  /** When the handling of messages ended that are not settled yet. */
  private readonly settling = new Map<ConsumeMessage, number>();
  private readonly timeoutMs: number;

  constructor(
    private readonly url: string,
    app: string,
    context: RequestContextRunner,
    {
      replica,
      replicas,
      policy,
      exchange = 'realtime.events',
      formerNames = [],
      maxDeadLetters = 100_000,
    }: RmqOptions = {},
  ) {
    super();
    // It loads amqplib itself, and would not say how to add it.
    requirePackage('amqplib', 'REALTIME_TRANSPORT rmq');
    ({ connect: this.connect } = loadPackage<{ connect: typeof Connect }>(
      'amqp-connection-manager',
      'REALTIME_TRANSPORT rmq',
    ));
    this.dispatcher = new BrokerDispatcher(
      this.messageHandlers,
      context,
      policy,
      () => this.output?.isOpen === true,
    );
    this.timeoutMs = policy?.timeoutMs ?? EVENT_POLICY.timeoutMs;
    this.exchange = exchange;
    this.appQueue = `realtime.${app}`;
    this.deadQueue = `${this.appQueue}.dead`;
    this.formerQueues = formerNames
      .filter((name) => name !== app)
      .map((name) => `realtime.${name}`);
    this.deadLetters = new DeadLetterQueue(this.deadQueue, maxDeadLetters);
    this.queue = replica ? `${this.appQueue}.${replica}` : this.appQueue;
    this.replica = replica;
    this.replicas = replicas;
    this.missed = replica !== undefined;
  }

  /**
   * Does nothing: `app.startAllMicroservices()` may come before the gateways.
   */
  listen(callback: () => void): void {
    callback();
  }

  start(fatal: (error: Error) => void): void {
    if (this.connection) {
      return;
    }
    this.fatal = fatal;
    this.replicas?.onLost(() => this.standDown());
    this.connection = this.connect(this.url, {
      reconnectTimeInSeconds: RECONNECT_MS / 1_000,
      connectionOptions: { noDelay: true },
    });
    this.output = new HandedOn(this.connect, this.url, RECONNECT_MS, (reason) =>
      this.tellBlocked(reason),
    );
    this.relieving = setInterval(
      () => this.dispatcher.lanes.relieve(),
      RELIEVE_MS,
    ).unref();
    let reported = false;
    this.connection.on(
      'connect',
      ({ connection }: { connection: ChannelModel }) => {
        reported = false;
        void this.consume(connection);
      },
    );
    this.connection.on('disconnect', ({ err }) => {
      this.setState(false, 'connection lost');
      this.logger.warn(`Connection lost, reconnecting: ${describe(err)}`);
    });
    this.connection.on('connectFailed', ({ err }) => {
      this.setState(false, 'RabbitMQ is unreachable');
      if (!reported) {
        reported = true;
        this.logger.error(
          `RabbitMQ is unreachable, retrying: ${describe(err)}`,
        );
      }
    });
  }

  health(): LinkHealth {
    if (this.stopping.signal.aborted) {
      return { ok: false, detail: 'stopping' };
    }
    const [oldest] = this.settling.values();
    if (oldest !== undefined && Date.now() - oldest > this.timeoutMs) {
      return { ok: false, detail: 'an event that was handled is not settled' };
    }
    const blocked = this.output?.blocked;
    const details = [
      this.state.detail,
      ...(blocked === undefined ? [] : [`${BLOCKED} ${blocked}`]),
      ...this.leftBehind.map((queue) => `${queue} is left behind`),
    ];
    return { ...this.state, detail: details.join(', ') };
  }

  /**
   * Stops consuming. RabbitMQ delivers again, to another replica, what is not
   * settled in time.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.retry);
    clearInterval(this.relieving);
    this.deadLetters.stop();
    await this.channel?.cancel(this.consumerTag).catch(() => undefined);
    await this.dispatcher.drained(timeoutMs);
    // Closed with its connection, RabbitMQ would lose the last
    // acknowledgements.
    await this.channel?.close().catch(() => undefined);
    await this.output?.close();
    await this.connection?.close();
  }

  /**
   * Called by Nest after the sockets are closed: too late for events in hand.
   */
  async close(): Promise<void> {
    if (!this.stopping.signal.aborted) {
      await this.stop(10_000);
    }
  }

  on(): void {
    throw new Error('RmqBroker has no events of its own');
  }

  unwrap<T>(): T {
    return this.connection as T;
  }

  override addHandler(...args: Parameters<Server['addHandler']>): void {
    if (isBrokerHandler(...args)) {
      super.addHandler(...args);
    }
  }

  /** Runs for every connection, and again when its channel has ended. */
  private async consume(connection: ChannelModel): Promise<void> {
    try {
      if (!this.replica) {
        await this.replicas?.ready();
        if (this.connection?.connection !== connection) {
          return;
        }
      }
      const channel = await connection.createConfirmChannel();
      channel.on('error', (error) =>
        this.logger.error(`Channel failed: ${describe(error)}`),
      );
      const before = await this.declare(channel);
      if (this.replica && before > 0) {
        throw new Error(SAME_NAME);
      }
      const waiting = await this.declareWaiting(connection, channel);
      channel.once('close', () => {
        this.channel = undefined;
        this.dispatcher.forgetApart();
        this.deadLetters.stop();
        this.setState(false, 'channel closed');
        this.consumeAgain(connection);
      });
      await channel.prefetch(PREFETCH);
      if (this.stopping.signal.aborted) {
        return;
      }
      this.channel = channel;
      this.deadLetters.watch(connection);
      // Messages wait until it is known that the queue is this replica's alone.
      const admitted: Promise<void> = channel
        .consume(
          this.queue,
          (message) =>
            void admitted
              // With a message it is known that this replica is the consumer.
              .then(() => waiting.open())
              .then(() => this.receive(channel, waiting, message))
              .catch((error: unknown) => this.giveUp(channel, error)),
          { consumerTag: this.consumerTag, noAck: false },
        )
        .then(() => this.requireAlone(channel));
      await admitted;
      // A tenth less: the broker's clock is not ours.
      const isExpired = Date.now() - this.consumedAt > REPLICA_EXPIRES_MS * 0.9;
      if (this.missed || (this.replica && isExpired)) {
        this.missed = false;
        this.replicas?.resync();
      }
      this.setState(true, `consuming from ${this.queue}`);
      const patterns = this.dispatcher.patterns.join(', ');
      this.logger.log(`Consuming from ${this.queue}: ${patterns}`);
      await this.findLeftBehind(connection);
    } catch (error) {
      if (isPreconditionFailed(error)) {
        this.fatal(
          new Error(
            `RabbitMQ holds ${this.queue} with other arguments; delete it when it is empty. ${describe(error)}`,
          ),
        );
      } else {
        this.logger.warn(`Not consuming: ${describe(error)}`);
        this.setState(false, describe(error));
        this.consumeAgain(connection);
      }
    }
  }

  /**
   * Refuses a second consumer of the replica's queue: each would get a part of
   * the events.
   */
  private async requireAlone(channel: ConfirmChannel): Promise<void> {
    if (this.replica) {
      const { consumerCount } = await channel.checkQueue(this.queue);
      if (consumerCount > 1) {
        await channel.close();
        throw new Error(SAME_NAME);
      }
    }
  }

  private async declareWaiting(
    connection: ChannelModel,
    channel: ConfirmChannel,
  ): Promise<WaitingQueues> {
    const waiting: WaitingQueues = new WaitingQueues(
      connection,
      channel,
      this.output as HandedOn,
      this.queue,
      { durable: true, arguments: this.queueArguments },
      {
        setApart: (tenant) => this.dispatcher.lanes.setApart(tenant),
        arrived: (tenant) => this.dispatcher.lanes.arrived(tenant),
        rejoin: (tenant) => this.dispatcher.lanes.rejoin(tenant),
        handle: (message) => this.handle(channel, waiting, message),
        settle: (message, moved) =>
          this.settle(channel, waiting, message, outcomeOf(moved)),
        isStopping: () => this.stopping.signal.aborted,
      },
    );
    await waiting.declare();
    return waiting;
  }

  private giveUp(channel: ConfirmChannel, error: unknown): void {
    if (this.channel === channel) {
      this.logger.warn(`Not consuming: ${describe(error)}`);
      channel.close().catch(() => undefined);
    }
  }

  /** Says which queues of former names are there: they are bound, and fill. */
  private async findLeftBehind(connection: ChannelModel): Promise<void> {
    const found: string[] = [];
    for (const queue of this.formerQueues) {
      const channel = await connection.createChannel();
      // A queue that is not there closes the channel.
      channel.on('error', () => undefined);
      try {
        const { messageCount, consumerCount } = await channel.checkQueue(queue);
        found.push(queue);
        const detail = `${messageCount} events, ${consumerCount} consumers`;
        this.logger.warn(
          `${queue} is left behind, and its events are kept there: ${detail}. Once no old replica needs it: rabbitmqctl delete_queue ${queue}`,
        );
        await channel.close();
      } catch {
        // As it should be.
      }
    }
    this.leftBehind = found;
  }

  private consumeAgain(connection: ChannelModel): void {
    clearTimeout(this.retry);
    const ms = RECONNECT_MS * (0.75 + Math.random() / 2);
    this.retry = setTimeout(() => {
      // Otherwise a new connection has begun to consume, or none will.
      if (this.connection?.connection === connection) {
        void this.consume(connection);
      }
    }, ms).unref();
  }

  /**
   * Gives up what is in hand when Redis is lost: a replica that has it takes
   * over.
   */
  private standDown(): void {
    if (!this.replica && this.channel) {
      this.dispatcher.release();
      this.channel.close().catch(() => undefined);
    }
  }

  /**
   * Declares everything that is needed before the first message is consumed.
   *
   * @returns the number of consumers that the queue has already
   */
  private async declare(channel: ConfirmChannel): Promise<number> {
    await channel.assertExchange(this.exchange, 'topic', { durable: true });
    await channel.assertExchange(DEAD_LETTERS, 'topic', { durable: true });
    await channel.assertQueue(this.deadQueue, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum' },
    });
    await channel.bindQueue(this.deadQueue, DEAD_LETTERS, this.appQueue);
    const { consumerCount } = await channel.assertQueue(this.queue, {
      durable: true,
      arguments: {
        ...this.queueArguments,
        // Others stand by: events are sent in the order published.
        ...(!this.replica && { 'x-single-active-consumer': true }),
      },
    });
    if (!this.replica && consumerCount > 0 && this.replicas?.isAlone) {
      this.logger.error(
        `${this.queue} has another consumer: without REDIS_URL the clients of one of them receive nothing`,
      );
    }
    for (const pattern of this.dispatcher.patterns) {
      await channel.bindQueue(this.queue, this.exchange, pattern);
    }
    return consumerCount;
  }

  /** Arguments of every queue that holds events. */
  private get queueArguments() {
    return {
      'x-queue-type': 'quorum',
      ...(this.replica && { 'x-expires': REPLICA_EXPIRES_MS }),
      'x-delivery-limit': DELIVERY_LIMIT,
      'x-dead-letter-exchange': DEAD_LETTERS,
      // Apps share the exchange: this app's dead-letter queue alone is bound to
      // the key.
      'x-dead-letter-routing-key': this.appQueue,
      // RabbitMQ keeps an event until its dead-letter queue has it.
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    };
  }

  private tellBlocked(reason: string | undefined): void {
    report('broker.blocked', { isBlocked: reason !== undefined });
    if (reason === undefined) {
      this.logger.log('RabbitMQ takes messages again');
    } else {
      this.logger.error(`${BLOCKED} ${reason}`);
    }
  }

  private setState(ok: boolean, detail: string): void {
    if (this.state.ok !== ok) {
      report('broker.state', { ok });
    }
    if (this.state.ok) {
      this.consumedAt = Date.now();
    }
    this.state = { ok, detail };
  }

  private receive(
    channel: ConfirmChannel,
    waiting: WaitingQueues,
    message: ConsumeMessage | null,
  ): void {
    if (!message) {
      this.missed = true;
      this.setState(false, 'consumer cancelled');
      report('broker.cancelled', {});
      this.logger.warn(`RabbitMQ cancelled the consumer of ${this.queue}`);
      channel.close().catch(() => undefined);
    } else if (!waiting.takeBaton(message)) {
      void this.handle(channel, waiting, message);
    }
  }

  private handle(
    channel: ConfirmChannel,
    waiting: WaitingQueues,
    message: ConsumeMessage,
  ): Promise<void> {
    const isOfAll = message.fields.consumerTag === this.consumerTag;
    const source = isOfAll ? 'queue' : 'waiting';
    return this.dispatcher.handle(
      () => decode(message, this.routingKeyOf(message)),
      { ...deliveryOf(message), source },
      (outcome) => this.settle(channel, waiting, message, outcome),
    );
  }

  /** A message of a tenant's queue says in a header of ours what its key was. */
  private routingKeyOf({ fields, properties }: ConsumeMessage): unknown {
    return fields.consumerTag === this.consumerTag
      ? fields.routingKey
      : properties.headers?.['x-realtime-routing-key'];
  }

  /** Settles a message, once: nothing else does. */
  private async settle(
    channel: ConfirmChannel,
    waiting: WaitingQueues,
    message: ConsumeMessage,
    outcome: Outcome,
  ): Promise<void> {
    this.settling.set(message, Date.now());
    try {
      const end = await this.endOf(waiting, message, outcome);
      if ('code' in end) {
        this.logger.warn(`Dead-lettered: ${summary(end)}`);
        await this.deadLetter(channel, message, end);
      } else if (end.kind !== 'released') {
        channel.ack(message);
      }
    } catch (error) {
      this.logger.warn(`Not settled: ${describe(error)}`);
      // Left unsettled it would hold a place of the prefetch for ever. Of a closed channel RabbitMQ delivers all again.
      channel.close().catch(() => undefined);
    } finally {
      this.settling.delete(message);
    }
  }

  /** Sends apart what is to go there. */
  private async endOf(
    waiting: WaitingQueues,
    message: ConsumeMessage,
    outcome: Outcome,
  ): Promise<End> {
    if (outcome.kind !== 'apart') {
      return outcome;
    }
    const moved = await waiting.move(outcome.tenant, outcome.id, message);
    return outcomeOf(moved);
  }

  /** With its reason where that can be; else RabbitMQ dead-letters it as it is. */
  private async deadLetter(
    channel: ConfirmChannel,
    message: ConsumeMessage,
    failure: Extract<Outcome, RpcFailure>,
  ): Promise<void> {
    const { messageId } = message.properties;
    const published = await this.output?.publish(
      DEAD_LETTERS,
      this.appQueue,
      message.content,
      again(message, messageId, {
        'x-realtime-waits': undefined,
        'x-realtime-reason': `${failure.code}: ${failure.message}`.slice(
          0,
          500,
        ),
        'x-realtime-routing-key': this.routingKeyOf(message),
        'x-realtime-dead-since': new Date().toISOString(),
      }),
    );
    const { pattern: event, code } = failure;
    report('broker.dead-letter', { event, code });
    if (published === 'taken') {
      channel.ack(message);
    } else {
      channel.reject(message, false);
    }
  }
}

function outcomeOf(moved: Moved): End {
  return moved === 'refused'
    ? {
        kind: 'transient',
        code: 'BACKLOG',
        message: 'too many events of its tenant wait for one that fails',
      }
    : { kind: moved === 'moved' ? 'done' : 'released' };
}

function decode(message: ConsumeMessage, routingKey: unknown): BrokerEnvelope {
  if (message.content.length > MAX_EVENT_BYTES) {
    throw invalid('TOO_LARGE', `more than ${MAX_EVENT_BYTES} bytes`);
  }
  if (message.properties.replyTo !== undefined) {
    throw invalid('RPC', 'requests are not answered: an event has no replyTo');
  }
  const envelope = parseEnvelope(parseJson(message.content));
  // The broker's permissions are on routing keys: the body must not differ.
  if (envelope.pattern !== routingKey) {
    throw invalid('ROUTING_KEY', 'the pattern is not the routing key');
  }
  return envelope;
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    throw invalid('JSON', 'the body is not JSON');
  }
}

function deliveryOf({ fields, properties }: ConsumeMessage): Delivery {
  const seconds = Number(properties.timestamp);
  return {
    id: properties.messageId,
    headers: properties.headers,
    // A time after the year 9999 is a publisher's mistake: milliseconds.
    at:
      seconds > 0 && seconds < 253_402_300_800
        ? new Date(seconds * 1_000)
        : undefined,
    redelivered: fields.redelivered,
  };
}

function summary({
  pattern = 'an event',
  code,
  message,
}: Extract<Outcome, RpcFailure>): string {
  return `${pattern}: ${code} ${message}`;
}

function isPreconditionFailed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 406;
}
