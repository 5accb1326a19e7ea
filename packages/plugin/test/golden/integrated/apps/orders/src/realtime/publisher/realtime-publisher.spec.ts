import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  type PublishedPayload,
  RealtimePublisher,
  RealtimePublisherModule,
} from '@nx-realtime/nest/publisher';
import { REALTIME_EVENTS, type RealtimeEvents } from './realtime-events';

describe('RealtimePublisher', () => {
  let consumer: Server;
  let received: string[];
  let app: INestApplicationContext;
  let publisher: RealtimePublisher<RealtimeEvents>;
  const event = 'notification.created';
  const payload: PublishedPayload<RealtimeEvents, typeof event> = {
    id: 'id-1',
    message: 'message-1',
    type: 'type-1',
    userId: 'userId-1',
  };

  beforeEach(async () => {
    received = [];
    consumer = createServer((socket) => {
      socket.setEncoding('utf8');
      socket.on('data', (chunk) => received.push(String(chunk)));
    });
    consumer.listen(0, '127.0.0.1');
    await once(consumer, 'listening');
    const { port } = consumer.address() as AddressInfo;
    const ports = Object.values(REALTIME_EVENTS).map(({ tcpPort }) => [
      tcpPort,
      port,
    ]);
    app = await Test.createTestingModule({
      imports: [
        RealtimePublisherModule.forRoot({
          events: REALTIME_EVENTS,
          env: { REALTIME_TRANSPORT: 'tcp', ...Object.fromEntries(ports) },
        }),
      ],
    }).compile();
    publisher = app.get<RealtimePublisher<RealtimeEvents>>(RealtimePublisher);
  });

  afterEach(async () => {
    await app.close();
    consumer.close();
  });

  it('sends an event as its consumer takes it', async () => {
    await publisher.publish(event, { tenantId: 't1', payload });
    const body = received.join('').replace(/^\d+#/, '');
    expect(JSON.parse(body)).toEqual({
      pattern: event,
      data: { tenantId: 't1', notification: payload },
    });
  });

  it('refuses an event without a tenant, and sends nothing', async () => {
    await expect(
      publisher.publish(event, { tenantId: '', payload }),
    ).rejects.toMatchObject({ code: 'INVALID' });
    expect(received).toEqual([]);
  });

  it('rejects when nobody takes the event', async () => {
    consumer.close();
    await once(consumer, 'close');
    await expect(
      publisher.publish(event, { tenantId: 't1', payload }),
    ).rejects.toMatchObject({ code: 'DISCONNECTED' });
  });
});
