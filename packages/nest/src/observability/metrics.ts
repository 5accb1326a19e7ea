import { createServer, type Server } from 'node:http';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import { EventNames } from '../events/event-names';
import { listen, type RealtimeDiagnostics } from './diagnostics';

/**
 * Number of codes and reasons that are told apart: services may add their own.
 */
const MAX_CODES = 50;
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/**
 * Metrics of the kernel, for Prometheus. No label has more values than the code
 * has names: none is of a tenant, a user, a room or a client's choice.
 *
 * @example
 * ```ts
 * new Counter({ name: 'orders_total', help: 'Orders', registers: [metrics.registry] });
 * ```
 */
@Injectable()
export class RealtimeMetrics
  implements OnApplicationBootstrap, OnApplicationShutdown
{
  /** Registry that metrics of your own may be added to. */
  readonly registry = new Registry();
  private readonly logger = new Logger('Metrics');
  private readonly codes = new Set<string>();
  private readonly stops: (() => void)[] = [];
  private server: Server | undefined;

  private readonly address: string | undefined;

  constructor(
    @Inject(REALTIME_CONFIG)
    { metricsAddress }: Pick<RealtimeConfig, 'metricsAddress'>,
    @Inject(EventNames) private readonly names: Pick<EventNames, 'has'>,
  ) {
    this.address = metricsAddress;
    this.countClients();
    this.countBroker();
    this.countLimits();
  }

  /**
   * Serves the metrics on a server of their own, which clients do not reach.
   */
  onApplicationBootstrap(): void {
    const { hostname, port } = parseAddress(this.address) ?? {};
    if (!hostname || !port) {
      return;
    }
    collectDefaultMetrics({ register: this.registry });
    this.server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      this.registry.metrics().then(
        (text) =>
          response
            .writeHead(200, { 'Content-Type': this.registry.contentType })
            .end(text),
        () => response.writeHead(500).end(),
      );
    });
    // Metrics are no reason to be down.
    this.server.on('error', (error) => this.logger.error(error.message));
    this.server.listen(Number(port), hostname, () =>
      this.logger.log(`Metrics on http://${this.address}/metrics`),
    );
  }

  /** Called by Nest. */
  onApplicationShutdown(): void {
    this.stops.forEach((stop) => stop());
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private countClients(): void {
    const connections = this.gauge('connections', 'Sockets connected', [
      'namespace',
    ]);
    const ended = this.counter('disconnects', 'Sockets that ended', [
      'namespace',
      'reason',
    ]);
    const handshakes = this.counter('handshakes', 'Namespaces asked for', [
      'namespace',
      'result',
    ]);
    const events = this.counter('client_events', 'Client events', [
      'namespace',
      'event',
      'result',
    ]);
    const seconds = this.histogram('client_event', 'Until acknowledged', [
      'event',
    ]);
    const emits = this.counter('emits', 'Server events sent to a room', [
      'namespace',
      'event',
    ]);
    this.on('socket.connected', ({ namespace }) =>
      connections.inc({ namespace }),
    );
    this.on('socket.disconnected', ({ namespace, reason }) => {
      connections.dec({ namespace });
      ended.inc({ namespace, reason: this.code(reason) });
    });
    this.on('handshake', ({ namespace = '', result }) =>
      handshakes.inc({ namespace, result: this.code(result) }),
    );
    this.on('client.event', ({ namespace, event, result, ms }) => {
      const name = this.nameOf(event);
      events.inc({ namespace, event: name, result: this.code(result) });
      seconds.observe({ event: name }, ms / 1_000);
    });
    this.on('emit', ({ namespace, event }) =>
      emits.inc({ namespace, event: this.nameOf(event) }),
    );
  }

  private countBroker(): void {
    const events = this.counter('broker_events', 'Events of the broker', [
      'event',
      'result',
    ]);
    const seconds = this.histogram('broker_event', 'Until handled', ['event']);
    const age = this.histogram('broker_event_age', 'Since published', [
      'event',
    ]);
    const again = this.counter('redeliveries', 'Delivered again', ['event']);
    const dead = this.counter('dead_letters', 'Events given up', [
      'event',
      'code',
    ]);
    const kept = this.gauge('dead_letters_kept', 'Dead letters in the queue');
    const dropped = this.counter('dead_letters_dropped', 'The queue was full');
    const cancelled = this.counter('consumer_cancelled', 'By the broker');
    const broker = this.gauge('broker_up', 'Whether events arrive');
    const blocked = this.gauge(
      'broker_blocked',
      'Whether it takes no messages',
    );
    const apart = this.gauge('tenants_held_up', 'Whose events wait apart');
    const redis = this.gauge('redis_up', 'Whether replicas are reached');
    const errors = this.counter('redis_publish_errors', 'Attempts that failed');
    const gaps = this.counter('redis_gaps', 'Times that messages were missed');
    this.on('broker.event', ({ event, result, redelivered, ms, ageMs }) => {
      const name = this.nameOf(event);
      events.inc({ event: name, result });
      seconds.observe({ event: name }, ms / 1_000);
      if (redelivered) {
        again.inc({ event: name });
      }
      if (ageMs !== undefined) {
        // The publisher's clock may be ahead.
        age.observe({ event: name }, Math.max(0, ageMs) / 1_000);
      }
    });
    this.on('broker.dead-letter', ({ event, code }) =>
      dead.inc({ event: this.nameOf(event), code: this.code(code) }),
    );
    this.on('dead-letters.kept', ({ letters }) => kept.set(letters));
    this.on('dead-letters.dropped', ({ letters }) => dropped.inc(letters));
    this.on('broker.cancelled', () => cancelled.inc());
    this.on('broker.state', ({ ok }) => broker.set(Number(ok)));
    this.on('broker.blocked', ({ isBlocked }) =>
      blocked.set(Number(isBlocked)),
    );
    this.on('broker.apart', ({ tenants }) => apart.set(tenants));
    this.on('redis.state', ({ ok }) => redis.set(Number(ok)));
    this.on('redis.publish-error', () => errors.inc());
    this.on('redis.gap', () => gaps.inc());
  }

  private countLimits(): void {
    const limited = this.counter('rate_limited', 'Refused or cut', ['what']);
    const cut = this.counter('slow_readers_cut', 'Connections');
    const all = this.gauge('buffered_bytes', 'Waiting for all readers');
    const most = this.gauge('buffered_bytes_max', 'Waiting for the slowest');
    this.on('rate.limited', ({ what }) => limited.inc({ what }));
    this.on('reader.cut', () => cut.inc());
    this.on('buffered', ({ totalBytes, maxBytes }) => {
      all.set(totalBytes);
      most.set(maxBytes);
    });
  }

  private on<N extends keyof RealtimeDiagnostics>(
    name: N,
    listener: (fields: RealtimeDiagnostics[N]) => void,
  ): void {
    this.stops.push(listen(name, listener));
  }

  private counter<L extends string>(
    name: string,
    help: string,
    labelNames: L[] = [],
  ): Counter<L> {
    const registers = [this.registry];
    return new Counter({
      name: `realtime_${name}_total`,
      help,
      labelNames,
      registers,
    });
  }

  private gauge<L extends string>(
    name: string,
    help: string,
    labelNames: L[] = [],
  ): Gauge<L> {
    const registers = [this.registry];
    return new Gauge({ name: `realtime_${name}`, help, labelNames, registers });
  }

  private histogram<L extends string>(
    name: string,
    help: string,
    labelNames: L[],
  ): Histogram<L> {
    return new Histogram({
      name: `realtime_${name}_seconds`,
      help,
      labelNames,
      buckets: SECONDS,
      registers: [this.registry],
    });
  }

  /** Name of an event as a label: `other` where the app has no code for it. */
  private nameOf(event: string | undefined): string {
    return event !== undefined && this.names.has(event) ? event : 'other';
  }

  private code(code: string): string {
    if (this.codes.size < MAX_CODES) {
      this.codes.add(code);
    }
    return this.codes.has(code) ? code : 'OTHER';
  }
}

/** @throws Error for what is no `host:port` */
function parseAddress(
  address: string | undefined,
): { hostname: string; port: string } | undefined {
  if (!address?.trim()) {
    return undefined;
  }
  const match = /^(\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(address.trim());
  const [, hostname = '', port = ''] = match ?? [];
  if (!match || Number(port) > 65_535) {
    throw new Error(
      'REALTIME_METRICS_ADDRESS is not allowed; allowed: a host and a port, 127.0.0.1:9464',
    );
  }
  return { hostname: hostname.replace(/^\[|\]$/g, ''), port };
}
