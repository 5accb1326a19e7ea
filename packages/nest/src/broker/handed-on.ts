import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type {
  AmqpConnectionManager,
  connect as Connect,
} from 'amqp-connection-manager';
import type {
  ChannelModel,
  ConfirmChannel,
  ConsumeMessage,
  Options,
} from 'amqplib';
import { describe } from './own';

export const DEAD_LETTERS = 'realtime.dlx';

/** RabbitMQ has not confirmed a message for so long. */
const CONFIRM_MS = 5_000;

/**
 * What became of a message: a queue has it, none will have it, or that is not
 * known.
 */
export type Published = 'taken' | 'refused' | 'unconfirmed';

/**
 * Publishes what the consumer hands on, on a connection of its own. RabbitMQ
 * stops reading from a connection that publishes while it is short of memory or disk:
 * acknowledgements behind a publish would not be read either, and what fills
 * its memory could not be taken out.
 */
export class HandedOn {
  private readonly logger = new Logger('RealtimeBroker');
  private readonly connection: AmqpConnectionManager;
  private channel: Promise<ConfirmChannel> | undefined;
  private current: ChannelModel | undefined;
  private blockedBy: string | undefined;
  private readonly returned = new Map<string, () => void>();

  constructor(
    connect: typeof Connect,
    url: string,
    reconnectMs: number,
    /** Is told why RabbitMQ takes no messages, and of its end by nothing. */
    onBlocked: (reason: string | undefined) => void,
  ) {
    this.connection = connect(url, {
      reconnectTimeInSeconds: reconnectMs / 1_000,
      connectionOptions: { noDelay: true },
    });
    const setBlocked = (reason?: string): void => {
      if (this.blockedBy !== reason) {
        this.blockedBy = reason;
        onBlocked(reason);
      }
    };
    this.connection.on(
      'connect',
      ({ connection }: { connection: ChannelModel }) => {
        this.current = connection;
        setBlocked();
      },
    );
    this.connection.on('disconnect', () => {
      this.current = undefined;
      this.channel = undefined;
      setBlocked();
    });
    this.connection.on('blocked', ({ reason }) => setBlocked(reason));
    this.connection.on('unblocked', () => setBlocked());
  }

  /** What RabbitMQ says of why it takes no messages; absent while it does. */
  get blocked(): string | undefined {
    return this.blockedBy;
  }

  /** True while RabbitMQ takes messages. */
  get isOpen(): boolean {
    return this.current !== undefined && this.blockedBy === undefined;
  }

  /** Publishes a message that a queue must take. */
  async publish(
    exchange: string,
    key: string,
    content: Buffer,
    options: Options.Publish,
  ): Promise<Published> {
    const { current } = this;
    if (!current || this.blockedBy !== undefined) {
      return 'unconfirmed';
    }
    const correlationId = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      this.channel ??= this.open(current);
      const channel = await this.channel;
      const given = { ...options, correlationId, mandatory: true };
      return await new Promise<Published>((resolve) => {
        timer = setTimeout(() => resolve('unconfirmed'), CONFIRM_MS);
        // RabbitMQ returns what no queue takes, before it confirms it.
        this.returned.set(correlationId, () => resolve('unconfirmed'));
        try {
          channel.publish(exchange, key, content, given, (error: unknown) =>
            resolve(error ? failureOf(error) : 'taken'),
          );
        } catch (error) {
          // Headers that were read may still be none that can be written.
          this.logger.warn(`Cannot be published: ${describe(error)}`);
          resolve('refused');
        }
      });
    } catch {
      return 'unconfirmed';
    } finally {
      clearTimeout(timer);
      this.returned.delete(correlationId);
    }
  }

  async close(): Promise<void> {
    const channel = await this.channel?.catch(() => undefined);
    // Closed with its connection, RabbitMQ would not confirm what it has.
    await channel?.close().catch(() => undefined);
    await this.connection.close();
  }

  private async open(connection: ChannelModel): Promise<ConfirmChannel> {
    const forget = (): void => void (this.channel = undefined);
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', (error) =>
        this.logger.error(`Channel failed: ${describe(error)}`),
      );
      channel.once('close', forget);
      channel.on('return', ({ properties }) =>
        this.returned.get(String(properties.correlationId))?.(),
      );
      return channel;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

/**
 * Options that publish a message again as it is, on its way to another queue.
 *
 * @param id of the message there
 * @param headers added to those that it has
 */
export function again(
  { properties }: ConsumeMessage,
  id: string,
  headers: Readonly<Record<string, unknown>>,
): Options.Publish {
  const { timestamp, contentType, contentEncoding } = properties;
  return {
    messageId: id,
    timestamp,
    contentType,
    contentEncoding,
    persistent: true,
    headers: {
      ...properties.headers,
      // RabbitMQ would copy the message to the queues that CC names.
      CC: undefined,
      ...headers,
    },
  };
}

/** A queue that is full refuses a message; with its channel all are lost. */
function failureOf(error: unknown): Published {
  return describe(error) === 'message nacked' ? 'refused' : 'unconfirmed';
}
