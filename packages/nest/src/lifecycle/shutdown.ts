import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { RealtimeBroker } from '../broker/broker';
import { isBusy } from '../events/client-event';
import { ConnectionRegistry } from '../connections/connection-registry';
import { report } from '../observability/diagnostics';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';

/** Number of connections that are closed at once, and the pause after them. */
const BATCH = 200;
const PAUSE_MS = 100;
/** Clients come back spread over this time for each of them. */
const SPREAD_MS = 2;
const MAX_SPREAD_MS = 10_000;
/** Time that a client has to answer the closing frame. */
const FAREWELL_MS = 1_000;
/** Time that client events in hand have: not all gateways answer. */
const CLIENTS_MS = 5_000;
const POLL_MS = 25;
/** Part of the time for a shutdown that is left when requests are cut. */
const LAST_MS = 1_000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ends this replica so that nothing is lost: what is in hand is finished, and
 * clients are told to come back before their connections are closed.
 */
@Injectable()
export class RealtimeShutdown
  implements OnModuleDestroy, OnApplicationShutdown
{
  private readonly logger = new Logger('Shutdown');
  private onSignal: () => void = () => undefined;
  private deadline = Infinity;
  private draining = false;
  private closed = false;

  constructor(
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
    @Inject(RealtimeBroker) private readonly broker: RealtimeBroker,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
  ) {}

  /** True from the first moment of a shutdown on. */
  get isDraining(): boolean {
    return this.draining;
  }

  /**
   * True once its connections are closed: one more would only delay the end.
   */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Ends the process when it is told to end and does not in time. */
  guard(server: Server): void {
    const { timeoutMs } = this.config.shutdown;
    this.onSignal = () => {
      // Nest waits for every request of the host, however long it takes.
      after(timeoutMs - LAST_MS, () => server.closeAllConnections());
      after(timeoutMs, () => {
        this.logger.fatal('Not ended within REALTIME_SHUTDOWN_MS');
        process.exit(1);
      });
    };
    SIGNALS.forEach((signal) => process.once(signal, this.onSignal));
  }

  /** Runs before Nest closes anything, and before what services depend on. */
  async onModuleDestroy(): Promise<void> {
    this.draining = true;
    this.deadline = Date.now() + this.config.shutdown.timeoutMs;
    report('draining', { connections: this.registry.open().length });
    // The load balancer sees meanwhile that this replica is not ready.
    await delay(this.config.shutdown.delayMs);
    const workMs = this.left() / 2;
    const isIdle = () =>
      !this.registry.open().some(({ sockets }) => sockets.some(isBusy));
    await Promise.all([
      this.broker.stop(workMs),
      until(isIdle, Math.min(workMs, CLIENTS_MS)),
    ]);
    await this.closeConnections();
    this.closed = true;
  }

  onApplicationShutdown(): void {
    SIGNALS.forEach((signal) => process.off(signal, this.onSignal));
  }

  /**
   * Closes connections, not sockets: a client whose sockets the server
   * disconnects would not come back by itself.
   */
  private async closeConnections(): Promise<void> {
    const open = this.registry.open();
    const spreadMs = Math.min(MAX_SPREAD_MS, open.length * SPREAD_MS);
    const batches = Math.ceil(open.length / BATCH);
    const pauseMs = Math.min(PAUSE_MS, this.left() / 2 / batches);
    for (let from = 0; from < open.length; from += BATCH) {
      for (const { conn, sockets } of open.slice(from, from + BATCH)) {
        const reconnectInMs = Math.floor(Math.random() * spreadMs);
        for (const socket of sockets) {
          socket.emit('realtime.draining', { reconnectInMs });
        }
        conn.close();
      }
      await delay(from + BATCH < open.length ? pauseMs : 0);
    }
    await until(() => this.registry.isEmpty, FAREWELL_MS);
    this.registry.terminateAll();
  }

  private left(): number {
    return Math.max(0, this.deadline - Date.now());
  }
}

function after(ms: number, run: () => void): void {
  setTimeout(run, ms).unref();
}

/** Resolves when a condition holds, or after a time. */
async function until(isSo: () => boolean, timeoutMs: number): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!isSo() && Date.now() < end) {
    await delay(POLL_MS);
  }
}
