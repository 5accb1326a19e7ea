import { randomUUID } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { connect as connectAmqp } from 'amqplib';

/** Publishes server events from outside the host, as another service does. */
export interface Publisher {
  /**
   * @param event `notification.created`; its first part is the payload's key unless `key` says otherwise
   * @throws when the broker does not take it, or has no queue for it
   */
  publish(event: string, tenantId: string, payload: object, key?: string): Promise<void>;
  close(): Promise<void>;
}

const EXCHANGE = 'realtime.events';

/** Over RabbitMQ: persistent, confirmed, with an id, and refused when no queue is bound to the event. */
export async function amqpPublisher(url: string): Promise<Publisher> {
  const connection = await connectAmqp(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
  const returned = new Set<string>();
  channel.on('return', (message) => returned.add(String(message.properties.messageId)));
  return {
    async publish(event, tenantId, payload, key = keyOf(event)) {
      const messageId = randomUUID();
      const body = JSON.stringify({ pattern: event, data: { tenantId, [key]: payload } });
      channel.publish(EXCHANGE, event, Buffer.from(body), {
        messageId,
        persistent: true,
        mandatory: true,
        timestamp: Math.floor(Date.now() / 1_000),
        contentType: 'application/json',
      });
      await channel.waitForConfirms();
      if (returned.has(messageId)) throw new Error(`No queue is bound to ${event}`);
    },
    close: () => connection.close(),
  };
}

/** Over the embedded transport: one connection of Nest's TCP framing, `<length>#<json>`. */
export async function tcpPublisher(port: number): Promise<Publisher> {
  const socket = connectTcp(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return {
    publish(event, tenantId, payload, key = keyOf(event)) {
      const body = JSON.stringify({ pattern: event, data: { tenantId, [key]: payload } });
      return new Promise((resolve, reject) => {
        // The length is in UTF-16 code units, not in bytes.
        socket.write(`${body.length}#${body}`, (error) => (error ? reject(error) : resolve()));
      });
    },
    close: () => new Promise((resolve) => socket.end(() => resolve())),
  };
}

function keyOf(event: string): string {
  return event.slice(0, event.indexOf('.'));
}
