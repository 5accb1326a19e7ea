import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { checkPayload } from '../events/payload-schema';
import { type PublishErrorCode, RealtimePublishError } from './publish.error';
import { PUBLISHER_CONFIG, type PublisherConfig } from './publisher.config';
import { PublisherTransport } from './publisher.transport';
import {
  PUBLISHED_EVENTS,
  type PublishedEvent,
  type PublishedEvents,
  type PublishedPayload,
} from './published-events';

/** The consumer refuses an event of 256 KiB, its framing counted. */
const MAX_EVENT_BYTES = 256 * 1024 - 16;

/**
 * An id of a tenant has 1 to 256 characters, none of them a control character.
 */
const ID = /^[^\p{Cc}\p{Cs}]{1,256}$/u;

/** The most that AMQP holds in a message id. */
const MAX_ID_BYTES = 255;

/**
 * A payload of a tenant, to be published.
 *
 * @example
 * ```ts
 * const message: RealtimeMessage<Notification> = { tenantId: 'acme', payload };
 * ```
 */
export interface RealtimeMessage<Payload = unknown> {
  /** Tenant whose clients get the event. */
  tenantId: string;
  /** Checked against the contract of the event. */
  payload: Payload;
  /**
   * The event's id, a UUID by default. An outbox gives its own, so that an
   * event that it publishes twice is delivered once.
   */
  id?: string;
  /** Time that the event happened at; now by default. */
  at?: Date;
  /** Headers that are sent along, such as `traceparent`. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * Publishes realtime events; each is checked against its contract first.
 *
 * @example
 * ```ts
 * constructor(private readonly realtime: RealtimePublisher<RealtimeEvents>) {}
 * // in a method
 * await this.realtime.publish('notification.created', { tenantId: 't1', payload });
 * ```
 */
@Injectable()
export class RealtimePublisher<
  Events extends PublishedEvents = PublishedEvents,
> implements OnApplicationShutdown {
  private readonly inHand = new Set<Promise<void>>();
  private isClosing = false;

  constructor(
    @Inject(PUBLISHER_CONFIG) private readonly config: PublisherConfig,
    @Inject(PublisherTransport) private readonly transport: PublisherTransport,
    @Inject(PUBLISHED_EVENTS) private readonly events: Events,
  ) {}

  /**
   * Resolves when RabbitMQ has the event on disk in the queue of its app.
   *
   * @returns the event's id
   * @throws RealtimePublishError
   */
  async publish<E extends keyof Events & string>(
    event: E,
    message: RealtimeMessage<PublishedPayload<Events, E>>,
  ): Promise<string> {
    const { id = randomUUID(), at = new Date(), headers = {} } = message;
    const fail = (code: PublishErrorCode, detail: string): never => {
      throw new RealtimePublishError(code, String(event), String(id), detail);
    };
    if (!Object.prototype.hasOwnProperty.call(this.events, event)) {
      fail('INVALID', 'no contract has this event');
    }
    const { key, schema, tcpPort } = this.events[event] as PublishedEvent;
    if (typeof id !== 'string' || id === '' || bytes(id) > MAX_ID_BYTES) {
      fail('INVALID', `id is not a text of 1 to ${MAX_ID_BYTES} bytes`);
    }
    if (typeof message.tenantId !== 'string' || !ID.test(message.tenantId)) {
      fail('INVALID', 'tenantId is missing or not an id');
    }
    if (!(at.getTime() >= 0)) {
      fail('INVALID', 'at is not a date');
    }
    const checking = checkPayload(schema, message.payload);
    const checked = checking instanceof Promise ? await checking : checking;
    if ('problems' in checked) {
      const [problem] = checked.problems;
      const path = ['payload', problem?.path].filter(Boolean).join('.');
      return fail('INVALID', `${path}: ${problem?.message}`);
    }
    const data = { tenantId: message.tenantId, [key]: checked.payload };
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
