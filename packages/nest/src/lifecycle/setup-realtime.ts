import type { Server } from 'node:http';
import { type INestApplication, Logger, ShutdownSignal } from '@nestjs/common';
import { RealtimeBroker } from '../broker/broker';
import { RealtimeAdapter } from '../connections/realtime.adapter';
import { requireSingleCopy } from '../copies';
import { RealtimeHealth } from './health';
import { RealtimeShutdown } from './shutdown';

/**
 * Adds the Socket.IO server, the broker's consumer and the health endpoints to
 * an app, and ends it in order on SIGTERM and SIGINT. Call it once, before
 * `app.listen()`: events are consumed when the app listens.
 *
 * @example
 * ```ts
 * const app = await NestFactory.create(AppModule);
 * await setupRealtime(app);
 * await app.listen(3333);
 * ```
 * @throws Error where the app's guard is not provided, or where this package is
 * loaded twice
 */
export async function setupRealtime(app: INestApplication): Promise<void> {
  requireSingleCopy();
  const logger = new Logger('Realtime');
  app.useWebSocketAdapter(await RealtimeAdapter.create(app));

  // The app's global pipes and filters are made for HTTP.
  const broker = app.get<RealtimeBroker>(RealtimeBroker);
  app.connectMicroservice({ strategy: broker }, { inheritAppConfig: false });
  if (broker.dispatcher.patterns.length === 0) {
    logger.error(
      'No consumer handles a broker event: consumers belong to the controllers of RealtimeModule',
    );
  }

  app.get(RealtimeHealth).serve();

  const server: Server = app.getHttpServer();
  server.once('listening', () =>
    broker.start((error) => {
      logger.fatal(error.message);
      process.exit(1);
    }),
  );
  app.enableShutdownHooks([ShutdownSignal.SIGTERM, ShutdownSignal.SIGINT], {
    useProcessExit: true,
  });
  app.get(RealtimeShutdown).guard(server);
}
