/** Publishes broker events in a process of its own, as another service does. Takes commands over IPC. */
import { randomUUID } from 'node:crypto';
import { connect, type ConfirmChannel } from 'amqplib';
import { micros, stamp } from './clock';
import { serve } from './serve';

export interface PublishCommands {
  connect: { in: { readonly url: string }; out: null };
  /** `count` events as fast as the broker takes them, each to one of `tenants` at random. */
  burst: {
    in: { readonly count: number; readonly tenants: readonly string[] };
    out: { startedAt: number };
  };
  /** `rate` events a second, evenly. */
  paced: {
    in: { readonly rate: number; readonly seconds: number; readonly tenants: readonly string[] };
    out: { published: number };
  };
}

const EVENT = 'notification.created';
/** Brings a Socket.IO frame to about 200 bytes. */
const TEXT = 'x'.repeat(40);

let channel: ConfirmChannel | undefined;

serve<PublishCommands>({
  async connect({ url }) {
    const connection = await connect(url);
    channel = await connection.createConfirmChannel();
    await channel.assertExchange('realtime.events', 'topic', { durable: true });
    return null;
  },

  async burst({ count, tenants }) {
    const startedAt = micros();
    for (let sent = 0; sent < count; sent += 1) publish(tenants);
    await channel?.waitForConfirms();
    return { startedAt };
  },

  async paced({ rate, seconds, tenants }) {
    const started = micros();
    let published = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.floor(((micros() - started) / 1e6) * rate);
        for (; published < Math.min(due, rate * seconds); published += 1) publish(tenants);
        if (published >= rate * seconds) {
          clearInterval(timer);
          resolve();
        }
      }, 1);
    });
    return { published };
  },
});

function publish(tenants: readonly string[]): void {
  const tenantId = tenants[Math.floor(Math.random() * tenants.length)];
  const notification = { id: stamp(), message: TEXT, type: 'info' };
  const body = JSON.stringify({ pattern: EVENT, data: { tenantId, notification } });
  channel?.publish('realtime.events', EVENT, Buffer.from(body), {
    messageId: randomUUID(),
    persistent: true,
    timestamp: Math.floor(Date.now() / 1_000),
    contentType: 'application/json',
  });
}
