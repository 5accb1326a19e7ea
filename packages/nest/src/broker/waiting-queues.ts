import { createHash, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Logger } from '@nestjs/common';
import type {
  Channel,
  ChannelModel,
  ConfirmChannel,
  ConsumeMessage,
  Options,
} from 'amqplib';
import { report } from '../observability/diagnostics';
import type { HandedOn } from './handed-on';
import { type Moved, OrderedOutput, pause } from './ordered-output';
import { describe, own } from './own';

/** Most events that may wait for one tenant; more are dead letters. */
const MAX_WAITING = 10_000;
/** Events of one tenant in hand. */
const IN_HAND = 10;
/** Events in hand of the queue that all of them pass. */
const PASSING = 500;
/** Type of the message that the active consumer keeps. */
const BATON = 'realtime.baton';

/** The consumer of the queue of all. */
export interface WaitingConsumer {
  /** All of the tenant comes to `move` from now on. */
  setApart(tenant: string | undefined): void;
  /** An event of the tenant has come to `move`. */
  arrived(tenant: string | undefined): void;
  /** @returns false where events are on their way to `move` */
  rejoin(tenant: string | undefined): boolean;
  /** Handles an event of a tenant's queue; resolves when it is settled. */
  handle(message: ConsumeMessage): Promise<void>;
  /** Settles an event that was moved on, or that nothing takes. */
  settle(message: ConsumeMessage, moved: Moved): Promise<void>;
  /** Nothing more is handled. */
  isStopping(): boolean;
}

interface Apart {
  readonly queue: string;
  /** Entries of the register that name the tenant. */
  readonly entries: ConsumeMessage[];
  /** The register has it. */
  entered: Promise<unknown>;
  /** Events that have not come to the tenant's queue yet. */
  passing: number;
  inHand: number;
  state: 'opening' | 'open' | 'ending';
  consumerTag: string;
  /** Resolves with what publishes to the tenant's queue. */
  output: Promise<OrderedOutput>;
}

/**
 * Queues of the tenants whose events wait apart, on the channel of one
 * consumer. Such an event passes one queue for all of them, which takes it at
 * once, and ends up in a queue of its tenant, which may have to be made first.
 *
 * A tenant is entered in the register, a queue too, before the first of its
 * events is moved, and is struck out when none is left: a consumer that takes
 * over reads the register first, and finds all. The baton stands in the queue
 * of all, so that RabbitMQ wakes the next consumer although nothing else may
 * come there.
 */
export class WaitingQueues {
  private readonly logger = new Logger('RealtimeBroker');
  private readonly register: string;
  private readonly passage: string;
  private readonly tenants = new Map<string | undefined, Apart>();
  /** Called with an entry of the register, by tenant. */
  private readonly awaited = new Map<string | undefined, () => void>();
  private readonly closing = new AbortController();
  private readonly passed: OrderedOutput;
  /** Tells what we have put into the passage from what others have. */
  private readonly id = randomUUID();
  private opened: Promise<void> | undefined;
  private side: Promise<Channel> | undefined;
  /** False while the passage may hold what another consumer put there. */
  private knowsPassage = false;
  private baton: ConsumeMessage | undefined;
  private sentBaton: Promise<void> | undefined;

  /**
   * @param queue the queue of all
   * @param options of the queues of the tenants
   */
  constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly output: HandedOn,
    private readonly queue: string,
    private readonly options: Options.AssertQueue,
    private readonly consumer: WaitingConsumer,
  ) {
    this.register = `${queue}.waiting`;
    this.passage = `${queue}.waiting.all`;
    const { signal } = this.closing;
    setMaxListeners(0, signal);
    this.passed = new OrderedOutput(output, this.passage, signal);
    channel.once('close', () => {
      this.closing.abort();
      this.side?.then((side) => side.close()).catch(() => undefined);
    });
  }

  /** Declares what all tenants share. */
  async declare(): Promise<void> {
    const given = Object(this.options.arguments) as Record<string, unknown>;
    await this.channel.assertQueue(this.passage, this.options);
    await this.channel.assertQueue(this.register, {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        // Every consumer that takes over reads it again.
        'x-delivery-limit': 1_000_000,
        ...('x-expires' in given && { 'x-expires': given['x-expires'] }),
      },
    });
  }

  /** Reads who waits apart. Nothing of the queue of all is handled before. */
  open(): Promise<void> {
    this.opened ??= this.takeOver();
    return this.opened;
  }

  private async takeOver(): Promise<void> {
    const { channel, register, passage } = this;
    await this.untilLeft(register);
    for (;;) {
      const entry = await channel.get(register, { noAck: false });
      if (!entry) {
        break;
      }
      this.enter(entry as unknown as ConsumeMessage);
    }
    // That it has a consumer says that somebody is at work.
    await this.subscribe(register, 0, (entry) => this.enter(entry));
    await this.untilLeft(passage);
    await this.subscribe(passage, PASSING, (message) => this.passOn(message));
    if (this.tenants.size > 0) {
      void this.sendBaton();
    }
  }

  /**
   * Moves an event to the end of its tenant's queue.
   *
   * @param id by which a copy of it is recognised
   */
  async move(
    tenant: string | undefined,
    id: string,
    message: ConsumeMessage,
  ): Promise<Moved> {
    if (this.closing.signal.aborted) {
      return 'lost';
    }
    this.consumer.arrived(tenant);
    const apart = this.tenants.get(tenant) ?? this.begin(tenant);
    apart.passing += 1;
    await apart.entered;
    const moved = await this.passed.push(message, id, {
      'x-realtime-routing-key': message.fields.routingKey,
      'x-realtime-waits': JSON.stringify({ tenant, by: this.id }),
    });
    if (moved !== 'moved') {
      apart.passing -= 1;
    }
    return moved;
  }

  /** True for the baton, which is kept as long as anyone waits apart. */
  takeBaton(message: ConsumeMessage): boolean {
    const { fields, properties } = message;
    if (fields.exchange !== '' || properties.type !== BATON) {
      return false;
    }
    if (this.tenants.size > 0 && !this.baton && !fields.redelivered) {
      this.baton = message;
      return true;
    }
    // One that came back often enough would be a dead letter: it is replaced.
    this.sentBaton = this.tenants.size > 0 ? this.sendBaton() : undefined;
    void Promise.resolve(this.sentBaton).then(() => this.acknowledge(message));
    return true;
  }

  private begin(tenant: string | undefined): Apart {
    const apart = this.add(tenant);
    this.logger.warn(`Events that fail hold up a tenant: ${apart.queue}`);
    const isEntered = new Promise<void>((resolve) =>
      this.awaited.set(tenant, resolve),
    );
    const body = Buffer.from(JSON.stringify({ tenant }));
    apart.entered = Promise.all([
      this.publish(this.register, body, {}),
      this.sendBaton(),
      isEntered,
    ]);
    return apart;
  }

  private add(tenant: string | undefined): Apart {
    const apart: Apart = {
      queue: `${this.register}.${nameOf(tenant)}`,
      entries: [],
      entered: Promise.resolve(),
      passing: 0,
      inHand: 0,
      state: 'opening',
      consumerTag: '',
      output: new Promise(() => undefined),
    };
    this.tenants.set(tenant, apart);
    this.consumer.setApart(tenant);
    apart.output = this.make(tenant, apart);
    this.tell();
    return apart;
  }

  private enter(entry: ConsumeMessage): void {
    const tenant = tenantOf(entry.content.toString());
    const apart = this.tenants.get(tenant) ?? this.add(tenant);
    apart.entries.push(entry);
    this.awaited.get(tenant)?.();
    this.awaited.delete(tenant);
  }

  /** Makes the tenant's queue, and begins to consume. */
  private async make(
    tenant: string | undefined,
    apart: Apart,
  ): Promise<OrderedOutput> {
    const { queue } = apart;
    try {
      // It takes its time, which the events of others would have to wait.
      await this.aside((channel) =>
        channel.assertQueue(queue, {
          ...this.options,
          arguments: {
            ...(this.options.arguments as object),
            'x-max-length': MAX_WAITING,
          },
        }),
      );
      await this.untilLeft(queue);
      apart.consumerTag = await this.subscribe(queue, IN_HAND, (message) =>
        this.receive(tenant, apart, message),
      );
      apart.state = 'open';
      void this.endIfEmpty(tenant, apart);
    } catch (error) {
      this.fail(error);
    }
    return new OrderedOutput(this.output, queue, this.closing.signal);
  }

  /** Hands an event of the passage on to its tenant's queue. */
  private async passOn(message: ConsumeMessage): Promise<void> {
    const { headers, messageId } = message.properties;
    const waits = String(headers?.['x-realtime-waits']);
    const tenant = tenantOf(waits);
    const apart = this.tenants.get(tenant) ?? this.begin(tenant);
    if (waits.includes(this.id)) {
      this.knowsPassage = true;
    } else {
      apart.passing += 1;
    }
    const output = await apart.output;
    const moved = await output.push(message, String(messageId), {});
    await this.consumer.settle(message, moved);
    apart.passing -= 1;
    await this.endIfEmpty(tenant, apart);
  }

  private async receive(
    tenant: string | undefined,
    apart: Apart,
    message: ConsumeMessage,
  ): Promise<void> {
    if (!this.consumer.isStopping()) {
      apart.inHand += 1;
      await this.consumer.handle(message);
      apart.inHand -= 1;
      await this.endIfEmpty(tenant, apart);
    }
  }

  private async endIfEmpty(
    tenant: string | undefined,
    apart: Apart,
  ): Promise<void> {
    const isIdle = () => apart.inHand === 0 && apart.passing === 0;
    if (apart.state !== 'open' || !isIdle() || this.consumer.isStopping()) {
      return;
    }
    apart.state = 'ending';
    try {
      if ((await this.isEmpty(apart.queue)) && isIdle()) {
        await this.channel.cancel(apart.consumerTag);
        await this.aside((channel) => channel.deleteQueue(apart.queue));
        if (isIdle() && this.consumer.rejoin(tenant)) {
          this.leave(tenant, apart);
        } else {
          apart.output = this.make(tenant, apart);
        }
      } else {
        apart.state = 'open';
      }
    } catch (error) {
      this.fail(error);
    }
  }

  private async isEmpty(queue: string): Promise<boolean> {
    await this.opened;
    if (!this.knowsPassage) {
      const { messageCount } = await this.channel.checkQueue(this.passage);
      this.knowsPassage = messageCount === 0;
    }
    const { messageCount } = await this.channel.checkQueue(queue);
    return messageCount === 0 && this.knowsPassage;
  }

  private leave(tenant: string | undefined, apart: Apart): void {
    this.tenants.delete(tenant);
    this.logger.log(`Held up no more: ${apart.queue}`);
    apart.entries.forEach((entry) => this.acknowledge(entry));
    if (this.tenants.size === 0 && this.baton) {
      this.acknowledge(this.baton);
      this.baton = undefined;
      this.sentBaton = undefined;
    }
    this.tell();
  }

  /** Puts a baton into the queue of all, unless there is one. */
  private sendBaton(): Promise<void> {
    const options = { type: BATON };
    this.sentBaton ??= this.publish(this.queue, Buffer.alloc(0), options);
    return this.sentBaton;
  }

  /** Publishes a message of our own until RabbitMQ has it. */
  private async publish(
    queue: string,
    body: Buffer,
    options: Options.Publish,
  ): Promise<void> {
    const given = { ...options, persistent: true };
    const { signal } = this.closing;
    while (!signal.aborted) {
      const result = await this.output.publish('', queue, body, given);
      if (result === 'taken') {
        return;
      }
      await pause(signal);
    }
  }

  private async subscribe(
    queue: string,
    prefetch: number,
    read: (message: ConsumeMessage) => void | Promise<void>,
  ): Promise<string> {
    const { channel } = this;
    const receive = async (message: ConsumeMessage | null): Promise<void> => {
      if (!message) {
        // Told where others have ended it, not where we have.
        throw new Error(`${queue} was deleted`);
      }
      await read(message);
    };
    const [, { consumerTag }] = await Promise.all([
      channel.prefetch(prefetch),
      channel.consume(
        queue,
        (message) =>
          void receive(message).catch((error: unknown) => this.fail(error)),
        { noAck: false },
      ),
    ]);
    return consumerTag;
  }

  /** Runs on a channel of its own, which nothing waits behind. */
  private async aside(
    run: (channel: Channel) => Promise<unknown>,
  ): Promise<void> {
    this.side ??= this.openSide();
    await run(await this.side);
  }

  private async openSide(): Promise<Channel> {
    const side = await this.connection.createChannel();
    return side.on('error', (error: unknown) => this.fail(error));
  }

  /** Waits for the channel of the last consumer to end: all it had is back. */
  private async untilLeft(queue: string): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      const { consumerCount } = await this.channel.checkQueue(queue);
      if (consumerCount === 0) {
        return;
      }
      await pause(signal);
    }
  }

  private acknowledge(message: ConsumeMessage): void {
    if (!this.closing.signal.aborted) {
      this.channel.ack(message);
    }
  }

  private tell(): void {
    report('broker.apart', { tenants: this.tenants.size });
  }

  /** Of a closed channel RabbitMQ delivers all again. */
  private fail(error: unknown): void {
    if (!this.closing.signal.aborted) {
      this.logger.warn(`Waiting events: ${describe(error)}`);
      this.channel.close().catch(() => undefined);
    }
  }
}

function tenantOf(entry: string): string | undefined {
  const parsed: unknown = JSON.parse(entry);
  return own(parsed, 'tenant') as string | undefined;
}

/** A tenant's id may be of any length, and of any characters. */
function nameOf(tenant: string | undefined): string {
  return createHash('sha256')
    .update(tenant ?? '')
    .digest('hex')
    .slice(0, 16);
}
