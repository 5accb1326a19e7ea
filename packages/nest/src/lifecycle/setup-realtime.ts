import type { Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { type INestApplication, Logger, ShutdownSignal } from '@nestjs/common';
import { RealtimeBroker } from '../broker/broker';
import {
  type loadModuleConfig,
  REALTIME_CONFIG,
} from '../config/realtime.config';
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
 * @param options `server`: of `node:http` or `node:https`, where one of yours
 * serves the app in place of `app.listen()`. Let it listen after `app.init()`;
 * `app.close()` closes it
 * @throws Error where a variable is missing, where the app's guard is not provided, where `server` listens
 * already, or where this package is loaded twice
 */
export async function setupRealtime(
  app: INestApplication,
  options: { readonly server?: Server | SecureServer | undefined } = {},
): Promise<void> {
  requireSingleCopy();
  const { incomplete } =
    app.get<ReturnType<typeof loadModuleConfig>>(REALTIME_CONFIG);
  // What stands in for it in a test is not to be listened with.
  if (incomplete) {
    throw incomplete;
  }
  const logger = new Logger('Realtime');
  const server: Server = options.server ?? app.getHttpServer();
  if (server.listening) {
    throw new Error(
      'The server listens already: call setupRealtime, then app.init(), then let it listen',
    );
  }
  app.useWebSocketAdapter(await RealtimeAdapter.create(app, options.server));

  // The app's global pipes and filters are made for HTTP.
  const broker = app.get<RealtimeBroker>(RealtimeBroker);
  app.connectMicroservice({ strategy: broker }, { inheritAppConfig: false });
  if (broker.dispatcher.patterns.length === 0) {
    logger.error(
      'No consumer handles a broker event: consumers belong to the controllers of RealtimeModule',
    );
  }

  app.get(RealtimeHealth).serve();

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
