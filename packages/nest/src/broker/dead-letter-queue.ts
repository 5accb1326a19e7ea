import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel } from 'amqplib';
import { report } from '../observability/diagnostics';
import { describe } from './own';

/** The queue is looked at so often. */
const EVERY_MS = 10_000;
/** So full it is told. */
const NEARLY_FULL = 0.8;

/**
 * Keeps the dead-letter queue of an app within its bound: the oldest letters
 * are thrown away, which is logged and counted. RabbitMQ takes no bound for a
 * queue that exists; with a bound of its own it would keep dead letters in the
 * queue of the events, and stop that, or throw them away without a word.
 */
export class DeadLetterQueue {
  private readonly logger = new Logger('RealtimeBroker');
  private timer: NodeJS.Timeout | undefined;
  private isTold = false;

  /** @param limit most letters that are kept */
  constructor(
    private readonly queue: string,
    private readonly limit: number,
  ) {}

  /** Looks after the queue by this connection, from now on. */
  watch(connection: ChannelModel): void {
    this.stop();
    const look = (): void => {
      void this.look(connection).catch((error: unknown) =>
        this.logger.warn(`${this.queue} is not seen: ${describe(error)}`),
      );
    };
    this.timer = setInterval(look, EVERY_MS).unref();
    look();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(connection: ChannelModel): Promise<void> {
    const channel = await connection.createChannel();
    // A queue that is not there closes the channel.
    channel.on('error', () => undefined);
    try {
      const { messageCount } = await channel.checkQueue(this.queue);
      const dropped = await this.dropOldest(channel, messageCount - this.limit);
      report('dead-letters.kept', { letters: messageCount - dropped });
      const isNearlyFull = messageCount > this.limit * NEARLY_FULL;
      if (isNearlyFull && !this.isTold) {
        this.logger.error(
          `${this.queue} holds ${messageCount} dead letters; above ${this.limit} the oldest are thrown away`,
        );
      }
      this.isTold = isNearlyFull;
    } finally {
      await channel.close().catch(() => undefined);
    }
  }

  /** @returns the number of those that were thrown away, at most `excess` */
  private async dropOldest(channel: Channel, excess: number): Promise<number> {
    let dropped = 0;
    while (dropped < excess) {
      const letter = await channel.get(this.queue, { noAck: false });
      if (!letter || letter.fields.messageCount < this.limit) {
        // Another replica was at it too: what is left is within the bound.
        if (letter) {
          channel.nack(letter, false, true);
        }
        break;
      }
      channel.ack(letter);
      dropped += 1;
    }
    if (dropped > 0) {
      report('dead-letters.dropped', { letters: dropped });
      this.logger.error(
        `${this.queue} is full: the ${dropped} oldest dead letters were thrown away`,
      );
    }
    return dropped;
  }
}
