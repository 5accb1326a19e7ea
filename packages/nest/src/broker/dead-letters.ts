import { Logger } from '@nestjs/common';
import type {
  AmqpConnectionManager,
  connect as Connect,
} from 'amqp-connection-manager';
import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import { describe } from './own';

export const DEAD_LETTERS = 'realtime.dlx';

/** RabbitMQ has not confirmed a dead letter for so long. */
const CONFIRM_MS = 5_000;

/**
 * Publishes dead letters on a connection of their own. RabbitMQ stops reading
 * from a connection that publishes while it is short of memory or disk:
 * acknowledgements behind a publish would not be read either, and what fills
 * its memory could not be taken out.
 */
export class DeadLetters {
  private readonly logger = new Logger('RealtimeBroker');
  private readonly connection: AmqpConnectionManager;
  private channel: Promise<ConfirmChannel> | undefined;
  private current: ChannelModel | undefined;
  private blockedBy: string | undefined;

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

  /**
   * Publishes a dead letter of the app.
   *
   * @returns false where RabbitMQ has not confirmed it, for whatever reason
   */
  async publish(
    app: string,
    content: Buffer,
    options: Options.Publish,
  ): Promise<boolean> {
    const { current } = this;
    if (!current || this.blockedBy !== undefined) {
      return false;
    }
    let timer: NodeJS.Timeout | undefined;
    try {
      this.channel ??= this.open(current);
      const channel = await this.channel;
      return await new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), CONFIRM_MS);
        channel.publish(DEAD_LETTERS, app, content, options, (error: unknown) =>
          resolve(!error),
        );
      });
    } catch (error) {
      // Headers that were read may still be none that can be written.
      this.logger.warn(`A dead letter without its reason: ${describe(error)}`);
      return false;
    } finally {
      clearTimeout(timer);
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
      return channel;
    } catch (error) {
      forget();
      throw error;
    }
  }
}
