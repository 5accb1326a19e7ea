import { randomUUID } from 'node:crypto';
import {
  type CanActivate,
  Controller,
  Injectable,
  type LoggerService,
  Module,
  type PipeTransform,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload, Transport } from '@nestjs/microservices';
import { BaseRpcException } from '../../src/broker/base-rpc.exception';
import { Broadcaster } from '../../src/events/broadcaster';
import { type RealtimeBroker } from '../../src/broker/broker';
import {
  BROKER_EVENT,
  type BrokerEventContext,
  REALTIME_BROKER,
} from '../../src/broker/broker-event';
import { NotificationsWsConsumer } from '@kernel/notifications/notifications-ws.consumer';
import { connect } from 'amqplib';
import { EMPTY, of, throwError } from 'rxjs';

export const TENANT_ROOM = 't:t1';
export const USER_ROOM = 't:t1:u:u7';

interface Sent {
  room: string;
  event: string;
  payload: { id: string };
  meta: { id: string; at: string };
}

/** Calls of handlers that must or must not run, by name. */
export const calls: { name: string; redelivered: boolean; at: number }[] = [];

/** Fails `test.flaky` this many times. */
export const flaky = { failures: 0 };

@Injectable()
class DenyGuard implements CanActivate {
  canActivate = () => false;
}

const rejectingPipe: PipeTransform = {
  transform: () => {
    throw new BaseRpcException('invalid', 'PIPE', 'refused by a pipe');
  },
};

/** Handles `test.tenant`, as the test wants. */
export const tenants = {
  handle: (_data: { tenantId: string; n: number }): void | Promise<void> => undefined,
};

@Controller()
class ProbeConsumer {
  @EventPattern('test.tenant', REALTIME_BROKER, BROKER_EVENT)
  tenant(@Payload() data: { tenantId: string; n: number }): void | Promise<void> {
    return tenants.handle(data);
  }

  @EventPattern('test.flaky', REALTIME_BROKER, BROKER_EVENT)
  flaky(@Ctx() { redelivered }: BrokerEventContext): void {
    calls.push({ name: 'flaky', redelivered, at: Date.now() });
    if (calls.length <= flaky.failures) throw new Error('database password is x');
  }

  @EventPattern('test.guarded', REALTIME_BROKER, BROKER_EVENT)
  @UseGuards(DenyGuard)
  guarded(): void {
    calls.push({ name: 'guarded', redelivered: false, at: Date.now() });
  }

  @EventPattern('test.piped', REALTIME_BROKER, BROKER_EVENT)
  piped(@Payload(rejectingPipe) data: unknown): void {
    calls.push({ name: `piped ${data}`, redelivered: false, at: Date.now() });
  }

  @EventPattern('test.stream', REALTIME_BROKER, BROKER_EVENT)
  stream(@Payload() data: string) {
    calls.push({ name: `stream ${data}`, redelivered: false, at: Date.now() });
    if (data === 'values') return of(1, 2, 3);
    if (data === 'nothing') return EMPTY;
    return throwError(() => new BaseRpcException('invalid', 'STREAM', 'refused by a stream'));
  }

  @EventPattern('test.slow', REALTIME_BROKER, BROKER_EVENT)
  async slow(): Promise<void> {
    calls.push({ name: 'slow begins', redelivered: false, at: Date.now() });
    await new Promise((resolve) => setTimeout(resolve, 500));
    calls.push({ name: 'slow ends', redelivered: false, at: Date.now() });
  }
}

/** What a host may have for brokers of its own. */
@Controller()
class HostController {
  @EventPattern('host.any')
  any(): void {
    calls.push({ name: 'host.any', redelivered: false, at: Date.now() });
  }

  @EventPattern('notification.created')
  same(): void {
    calls.push({ name: 'host notification.created', redelivered: false, at: Date.now() });
  }

  @EventPattern('host.kafka', Transport.KAFKA)
  kafka(): void {
    calls.push({ name: 'host.kafka', redelivered: false, at: Date.now() });
  }
}

/** An app with generated and hand-written consumers on one strategy, without HTTP. */
export async function startBrokerApp(broker: RealtimeBroker) {
  const sent: Sent[] = [];
  const lines: string[] = [];
  const fatal: Error[] = [];
  const broadcaster = new Broadcaster();
  const to = (room: string) => ({
    emit: (event: string, payload: Sent['payload'], meta: Sent['meta']) =>
      sent.push({ room, event, payload, meta }),
  });
  broadcaster.bind({ of: () => ({ to }) } as unknown as Parameters<Broadcaster['bind']>[0]);

  @Module({
    controllers: [HostController, NotificationsWsConsumer, ProbeConsumer],
    providers: [
      { provide: Broadcaster, useValue: broadcaster },
      { provide: 'BROKER', useValue: broker },
    ],
  })
  class TestModule {}

  const write = (message: unknown) => void lines.push(String(message));
  const logger: LoggerService = { log: write, warn: write, error: write, fatal: write };
  const app = await NestFactory.create(TestModule, { logger });
  app.connectMicroservice({ strategy: broker }, { inheritAppConfig: false });
  await app.init();
  broker.start((error) => fatal.push(error));
  return { app, sent, lines, fatal };
}

/** A publisher and an inspector of queues. */
export async function openBroker(url: string) {
  const connection = await connect(url);
  connection.on('error', () => undefined);
  const channel = await connection.createConfirmChannel();
  return {
    channel,
    publish(routingKey: string, body: unknown, properties: object = {}): Promise<void> {
      const content = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      return new Promise((resolve, reject) => {
        channel.publish('realtime.events', routingKey, content, properties, (error: unknown) =>
          error ? reject(error as Error) : resolve(),
        );
      });
    },
    count: async (queue: string) => {
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      return { messages: messageCount, consumers: consumerCount };
    },
    /** Takes everything out of a dead-letter queue. */
    async drain(queue: string) {
      const found = [];
      for (;;) {
        const message = await channel.get(queue, { noAck: true });
        if (!message) return found;
        found.push(message);
      }
    },
    close: () => connection.close().catch(() => undefined),
  };
}

export function notification(fields: object = {}, tenantId: unknown = 't1') {
  const payload = { id: randomUUID(), message: 'hi', type: 'info', ...fields };
  return { pattern: 'notification.created', data: { tenantId, notification: payload } };
}

/** Resolves with what `read` gives once it is truthy. */
export async function eventually<T>(
  read: () => T | Promise<T>,
  ms = 10_000,
): Promise<Exclude<T, false | 0 | undefined>> {
  const until = Date.now() + ms;
  for (;;) {
    const value = await read();
    if (value) return value as Exclude<T, false | 0 | undefined>;
    if (Date.now() > until) throw new Error(`not in time: ${read.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
