import { Logger } from '@nestjs/common';
import type {
  AmqpConnectionManager,
  connect as Connect,
} from 'amqp-connection-manager';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { describe } from '../broker/own';
import { loadPackage, requirePackage } from '../packages';
import { type PublishErrorCode, RealtimePublishError } from './publish.error';
import type { OutgoingEvent, PublisherTransport } from './publisher.transport';

const RECONNECT_MS = 2_000;

/** A channel, and how often RabbitMQ has returned an event, by name and id. */
interface OpenChannel {
  readonly channel: ConfirmChannel;
  readonly returned: Map<string, number>;
}

/** Publishes to RabbitMQ: persistent, mandatory and confirmed. */
export class RmqTransport implements PublisherTransport {
  private readonly logger = new Logger('RealtimePublisher');
  private readonly connection: AmqpConnectionManager;
  /** Events that wait for a channel, in the order that they came in. */
  private readonly waiting = new Set<(open: OpenChannel) => void>();
  private open: OpenChannel | undefined;
  /** Short of memory or disk RabbitMQ reads nothing more: it would pile up here. */
  private isBlocked = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    url: string,
    private readonly timeoutMs: number,
    private readonly exchange: string,
  ) {
    // It loads amqplib itself, and would not say how to add it.
    requirePackage('amqplib', 'REALTIME_TRANSPORT rmq');
    const { connect } = loadPackage<{ connect: typeof Connect }>(
      'amqp-connection-manager',
      'REALTIME_TRANSPORT rmq',
    );
    this.connection = connect(url, {
      reconnectTimeInSeconds: RECONNECT_MS / 1_000,
      connectionOptions: { noDelay: true },
    });
    let reported = false;
    this.connection.on(
      'connect',
      ({ connection }: { connection: ChannelModel }) => {
        reported = false;
        void this.openChannel(connection);
      },
    );
    this.connection.on('disconnect', ({ err }) => {
      this.isBlocked = false;
      this.logger.warn(`Connection lost, reconnecting: ${describe(err)}`);
    });
    this.connection.on('blocked', ({ reason }) => {
      this.isBlocked = true;
      this.logger.error(`RabbitMQ takes no messages: ${reason}`);
    });
    this.connection.on('unblocked', () => {
      this.isBlocked = false;
      this.logger.log('RabbitMQ takes messages again');
      this.sendWaiting();
    });
    this.connection.on('connectFailed', ({ err }) => {
      if (!reported) {
        reported = true;
        this.logger.error(
          `RabbitMQ is unreachable, retrying: ${describe(err)}`,
        );
      }
    });
  }

  send(event: OutgoingEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      let isSent = false;
      const settle = (code?: PublishErrorCode, detail = ''): void => {
        clearTimeout(timer);
        this.waiting.delete(go);
        if (code) {
          const { name, id } = event;
          reject(new RealtimePublishError(code, name, id, detail));
        } else {
          resolve();
        }
      };
      const timer = setTimeout(
        () =>
          isSent
            ? settle('UNCONFIRMED', `not confirmed in ${this.timeoutMs} ms`)
            : this.isBlocked
              ? settle('BLOCKED', 'RabbitMQ is short of memory or disk')
              : settle('DISCONNECTED', `no RabbitMQ for ${this.timeoutMs} ms`),
        this.timeoutMs,
      );
      const go = (open: OpenChannel): void => {
        this.waiting.delete(go);
        try {
          isSent = true;
          publish(open, this.exchange, event, settle);
        } catch (error) {
          settle('DISCONNECTED', describe(error));
        }
      };
      if (this.open && !this.isBlocked) {
        go(this.open);
      } else {
        this.waiting.add(go);
      }
    });
  }

  async close(): Promise<void> {
    // Closed with its connection, RabbitMQ would not confirm what it has.
    await this.open?.channel.close().catch(() => undefined);
    clearTimeout(this.retry);
    await this.connection.close();
  }

  private sendWaiting(): void {
    const { open } = this;
    if (open && !this.isBlocked) {
      this.waiting.forEach((go) => go(open));
    }
  }

  /** Runs for every connection, and again when its channel has ended. */
  private async openChannel(connection: ChannelModel): Promise<void> {
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', (error) =>
        this.logger.error(`Channel failed: ${describe(error)}`),
      );
      channel.once('close', () => {
        this.open = undefined;
        this.openAgain(connection);
      });
      const returned = new Map<string, number>();
      channel.on('return', ({ fields, properties }) => {
        const key = keyOf(fields.routingKey, String(properties.messageId));
        returned.set(key, (returned.get(key) ?? 0) + 1);
      });
      await channel.assertExchange(this.exchange, 'topic', { durable: true });
      const open = { channel, returned };
      this.open = open;
      this.sendWaiting();
    } catch (error) {
      this.logger.error(`No channel, retrying: ${describe(error)}`);
      this.openAgain(connection);
    }
  }

  private openAgain(connection: ChannelModel): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      // Otherwise a new connection has its own channel, or none will come.
      if (this.connection.connection === connection) {
        void this.openChannel(connection);
      }
    }, RECONNECT_MS).unref();
  }
}

function publish(
  { channel, returned }: OpenChannel,
  exchange: string,
  { name, id, at, body, headers }: OutgoingEvent,
  settle: (code?: PublishErrorCode, detail?: string) => void,
): void {
  channel.publish(
    exchange,
    name,
    Buffer.from(body),
    {
      persistent: true,
      // RabbitMQ returns what no queue takes, before it confirms it.
      mandatory: true,
      messageId: id,
      timestamp: Math.floor(at.getTime() / 1_000),
      contentType: 'application/json',
      headers: { ...headers },
    },
    (error: unknown) => {
      const key = keyOf(name, id);
      const times = returned.get(key) ?? 0;
      if (times > 1) {
        returned.set(key, times - 1);
      } else {
        returned.delete(key);
      }
      if (error) {
        settle('UNCONFIRMED', describe(error));
      } else if (times > 0) {
        settle('UNROUTABLE', 'no queue is bound to it: start its app once');
      } else {
        settle();
      }
    },
  );
}

function keyOf(name: string, id: string): string {
  return `${name} ${id}`;
}
