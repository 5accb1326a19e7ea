import type { INestApplication, LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { REALTIME_EVENTS, type RealtimeEvents } from '@orders/realtime-events';
import { RealtimePublisher } from '../../src/publisher/realtime-publisher';
import { RealtimePublisherModule } from '../../src/publisher/realtime-publisher.module';

/** An app of the host that publishes, in this process. */
export async function startPublisher(env: NodeJS.ProcessEnv): Promise<{
  app: INestApplication;
  publisher: RealtimePublisher<RealtimeEvents>;
  lines: string[];
}> {
  const module = await Test.createTestingModule({
    imports: [
      RealtimePublisherModule.forRoot({
        events: REALTIME_EVENTS,
        env: { NODE_ENV: 'test', ...env },
      }),
    ],
  }).compile();
  const lines: string[] = [];
  const write = (line: unknown) => void lines.push(String(line));
  const logger: LoggerService = { log: write, warn: write, error: write };
  const app = module.createNestApplication({ logger });
  await app.init();
  return { app, publisher: app.get(RealtimePublisher), lines };
}

export const created = (id: string, fields: object = {}) => ({
  tenantId: 't1',
  payload: { id, message: 'hi', type: 'info', ...fields },
});
