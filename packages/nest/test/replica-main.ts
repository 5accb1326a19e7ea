/** The emitted kernel as a process of its own: see `startReplica`. */
import 'reflect-metadata';
import { Broadcaster, type DomainBroadcaster } from '../src/events/broadcaster';
import { BROKER_EVENT, type BrokerEventContext, REALTIME_BROKER } from '../src/broker/broker-event';
import { RealtimeModule } from '@kernel/realtime.module';
import { setupRealtime } from '../src/lifecycle/setup-realtime';
import {
  ConsoleLogger,
  Controller,
  Injectable,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface ProbeEvents {
  'test.slow': (payload: { id: string }) => void;
}

interface ProbeData {
  readonly tenantId: string;
  readonly probe: { readonly id: string; readonly ms: number };
}

/** Takes as long as an event says, then sends it to its tenant. */
@Controller()
class SlowConsumer {
  private readonly clients: DomainBroadcaster<ProbeEvents>;

  constructor(broadcaster: Broadcaster) {
    this.clients = broadcaster.namespace('/notifications');
  }

  @EventPattern('test.slow', REALTIME_BROKER, BROKER_EVENT)
  async slow(@Payload() data: ProbeData, @Ctx() { meta }: BrokerEventContext): Promise<void> {
    const { tenantId, probe } = data;
    print(`begins ${probe.id}`);
    await delay(probe.ms);
    this.clients.toTenant(tenantId, 'test.slow', { id: probe.id }, meta);
  }
}

@WebSocketGateway({ namespace: '/notifications' })
class SlowGateway {
  @SubscribeMessage('test.slow')
  async slow(_socket: unknown, { ms }: { ms: number }): Promise<object> {
    print('begins client event');
    await delay(ms);
    return { ok: true, data: 'done' };
  }
}

@Injectable()
class HangingService implements OnApplicationShutdown {
  async onApplicationShutdown(): Promise<void> {
    if (process.env['TEST_HANG']) await delay(60_000);
  }
}

@Module({
  imports: [RealtimeModule],
  controllers: [SlowConsumer],
  providers: [HangingService, SlowGateway],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, {
    logger: new ConsoleLogger({ colors: false }),
  });
  await setupRealtime(app);
  await app.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
  print(`listening on ${(app.getHttpServer().address() as AddressInfo).port}`);
}

void main();
