import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumeMessage } from 'amqplib';
import { again, type HandedOn } from './handed-on';

/** Messages that are published before the first of them is confirmed. */
const BATCH = 100;
const AGAIN_MS = 200;

/**
 * What becomes of an event: a queue has it, or takes no more, or RabbitMQ
 * delivers it again.
 */
export type Moved = 'moved' | 'refused' | 'lost';

interface Leaving {
  readonly message: ConsumeMessage;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly id: string;
  readonly settle: (moved: Moved) => void;
}

/** Hands messages on to one queue, in their order. */
export class OrderedOutput {
  private readonly leaving: Leaving[] = [];
  private flushing = false;

  /** @param closed ends it: RabbitMQ delivers again what is left */
  constructor(
    private readonly output: HandedOn,
    private readonly queue: string,
    private readonly closed: AbortSignal,
  ) {}

  get size(): number {
    return this.leaving.length;
  }

  /**
   * @param id of the message in the other queue
   * @param headers added to those that the message has
   */
  push(
    message: ConsumeMessage,
    id: string,
    headers: Readonly<Record<string, unknown>>,
  ): Promise<Moved> {
    return new Promise((settle) => {
      this.leaving.push({ message, id, headers, settle });
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    if (this.flushing) {
      return;
    }
    this.flushing = true;
    while (this.leaving.length > 0 && !this.closed.aborted) {
      const batch = this.leaving.slice(0, BATCH);
      const results = await Promise.all(batch.map((one) => this.publish(one)));
      for (const result of results) {
        if (result === 'unconfirmed') {
          // What is behind it is published again too, to be behind it.
          await pause(this.closed);
          break;
        }
        const done = result === 'taken' ? 'moved' : 'refused';
        this.leaving.shift()?.settle(done);
      }
    }
    this.flushing = false;
    if (this.closed.aborted) {
      this.leaving.splice(0).forEach(({ settle }) => settle('lost'));
    }
  }

  private publish({ message, id, headers }: Leaving) {
    return this.output.publish(
      '',
      this.queue,
      message.content,
      again(message, id, headers),
    );
  }
}

/** Waits before something is tried again. */
export async function pause(closed: AbortSignal): Promise<void> {
  await delay(AGAIN_MS, undefined, { signal: closed }).catch(() => undefined);
}
