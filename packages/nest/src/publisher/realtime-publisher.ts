import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type PublishErrorCode, RealtimePublishError } from './publish.error';
import { PUBLISHER_CONFIG, type PublisherConfig } from './publisher.config';
import { PublisherTransport } from './publisher.transport';
import {
  type EventSpec,
  REALTIME_EVENTS,
  type RealtimeEvent,
  type RealtimePayload,
} from './realtime-events';

/** The consumer refuses an event of 256 KiB, its framing counted. */
const MAX_EVENT_BYTES = 256 * 1024 - 16;

/** What consumers take for an id: 1 to 256 characters, none a control character. */
const ID = /^[^\p{Cc}\p{Cs}]{1,256}$/u;

/** The most that AMQP holds in a message id. */
const MAX_ID_BYTES = 255;

export interface RealtimeMessage<E extends RealtimeEvent> {
  tenantId: string;
  payload: RealtimePayload<E>;
  /**
   * The event's id, a UUID by default. An outbox gives its own, so that an
   * event that it publishes twice is delivered once.
   */
  id?: string;
  /** When it happened; now by default. */
  at?: Date;
  /** Sent along, such as `traceparent`. */
  headers?: Readonly<Record<string, string>>;
}

/** Publishes realtime events; each is checked against its contract first. */
@Injectable()
export class RealtimePublisher implements OnApplicationShutdown {
  private readonly events: Readonly<Record<string, EventSpec>> =
    REALTIME_EVENTS;
  private readonly inHand = new Set<Promise<void>>();
  private isClosing = false;

  constructor(
    @Inject(PUBLISHER_CONFIG) private readonly config: PublisherConfig,
    @Inject(PublisherTransport) private readonly transport: PublisherTransport,
  ) {}

  /**
   * Resolves when RabbitMQ has the event on disk in the queue of its app.
   *
   * @returns the event's id
   * @throws RealtimePublishError
   */
  async publish<E extends RealtimeEvent>(
    event: E,
    message: RealtimeMessage<E>,
  ): Promise<string> {
    const { id = randomUUID(), at = new Date(), headers = {} } = message;
    const fail = (code: PublishErrorCode, detail: string): never => {
      throw new RealtimePublishError(code, String(event), String(id), detail);
    };
    if (!Object.prototype.hasOwnProperty.call(this.events, event)) {
      fail('INVALID', 'no contract has this event');
    }
    const { key, schema, tcpPort } = this.events[event] as EventSpec;
    if (typeof id !== 'string' || id === '' || bytes(id) > MAX_ID_BYTES) {
      fail('INVALID', `id is not a text of 1 to ${MAX_ID_BYTES} bytes`);
    }
    if (typeof message.tenantId !== 'string' || !ID.test(message.tenantId)) {
      fail('INVALID', 'tenantId is missing or not an id');
    }
    if (!(at.getTime() >= 0)) {
      fail('INVALID', 'at is not a date');
    }
    const parsed = schema.safeParse(message.payload);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const path = ['payload', ...(issue?.path ?? [])].join('.');
      return fail('INVALID', `${path}: ${issue?.message}`);
    }
    const data = { tenantId: message.tenantId, [key]: parsed.data };
    const body = JSON.stringify({ pattern: event, data });
    if (bytes(body) > MAX_EVENT_BYTES) {
      fail('INVALID', `more than ${MAX_EVENT_BYTES} bytes`);
    }
    if (this.isClosing) {
      fail('CLOSED', 'this app is shutting down');
    }
    if (this.inHand.size >= this.config.maxUnconfirmed) {
      fail('BUSY', `${this.inHand.size} events wait for the broker`);
    }
    const name: string = event;
    const sent = this.transport.send({ name, id, at, body, headers, tcpPort });
    this.inHand.add(sent);
    try {
      await sent;
    } finally {
      this.inHand.delete(sent);
    }
    return id;
  }

  /** Runs when HTTP has ended: what is published until then is confirmed. */
  async onApplicationShutdown(): Promise<void> {
    this.isClosing = true;
    await Promise.allSettled(this.inHand);
    await this.transport.close();
  }
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
