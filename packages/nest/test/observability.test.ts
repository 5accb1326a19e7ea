import { BaseRpcException } from '../src/broker/base-rpc.exception';
import { BrokerDispatcher, type Delivery, type Outcome } from '../src/broker/broker';
import { Broadcaster } from '../src/events/broadcaster';
import { report } from '../src/observability/diagnostics';
import { RealtimeMetrics } from '../src/observability/metrics';
import { RequestContextService } from '../src/events/request-context';
import { RealtimeTracing } from '../src/observability/tracing';
import type { MessageHandler } from '@nestjs/microservices';
import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from './support/brokers.js';
import { sign, Stack } from './support/stack.js';

const metricsAt = (metricsAddress: string | undefined) =>
  new RealtimeMetrics({ metricsAddress }, new Set(['notification.created']));

describe('metrics', () => {
  let metrics: RealtimeMetrics | undefined;
  let stack: Stack | undefined;

  afterEach(async () => {
    await stack?.close();
    stack = undefined;
    metrics?.onApplicationShutdown();
    metrics = undefined;
  });

  const text = (): Promise<string> =>
    (stack?.app.get(RealtimeMetrics) ?? metrics!).registry.metrics();
  /** The samples of a metric, without those of zero. */
  const samples = async (name: string): Promise<string[]> =>
    (await text())
      .split('\n')
      .filter((line) => line.startsWith(`realtime_${name}`) && !line.endsWith(' 0'))
      .map((line) => line.slice('realtime_'.length));

  it('count what clients do, by namespace, event and result', async () => {
    stack = await Stack.start();
    const socket = await stack.connect('/notifications');
    await stack.connect('/notifications', sign({ sub: 'u2' }));
    await stack.refusal('/notifications', { token: 'x' });
    await socket.emitWithAck('notification.markRead', { notificationId: 'n1' });
    await socket.emitWithAck('notification.markRead', {});
    stack.app
      .get(Broadcaster)
      .namespace<{ 'notification.created': (payload: object) => void }>('/notifications')
      .toTenant('t1', 'notification.created', {}, { id: '1', at: '' });
    expect(await samples('connections')).toEqual(['connections{namespace="/notifications"} 2']);
    socket.disconnect();
    await expect
      .poll(() => samples('connections'))
      .toEqual(['connections{namespace="/notifications"} 1']);
    expect(await samples('disconnects')).toEqual([
      'disconnects_total{namespace="/notifications",reason="client namespace disconnect"} 1',
    ]);
    expect(await samples('handshakes')).toEqual([
      'handshakes_total{namespace="/notifications",result="ok"} 2',
      'handshakes_total{namespace="/notifications",result="UNAUTHORIZED"} 1',
    ]);
    const event = 'namespace="/notifications",event="notification.markRead"';
    expect(await samples('client_events')).toEqual([
      `client_events_total{${event},result="ok"} 1`,
      `client_events_total{${event},result="VALIDATION"} 1`,
    ]);
    expect(await samples('client_event_seconds_count')).toEqual([
      'client_event_seconds_count{event="notification.markRead"} 2',
    ]);
    expect(await samples('emits')).toEqual([
      'emits_total{namespace="/notifications",event="notification.created"} 1',
    ]);
  });

  it('count what the broker brings, and what becomes of it', async () => {
    metrics = metricsAt(undefined);
    const event = 'notification.created';
    report('broker.event', { event, result: 'done', redelivered: true, ms: 20, ageMs: 3_000 });
    report('broker.event', { event, result: 'done', redelivered: false, ms: 20, ageMs: -9_000 });
    report('broker.event', { result: 'invalid', code: 'JSON', redelivered: false, ms: 1 });
    report('broker.dead-letter', { code: 'JSON' });
    report('broker.state', { ok: true });
    report('redis.state', { ok: false });
    report('redis.publish-error', {});
    report('rate.limited', { what: 'flood' });
    report('buffered', { totalBytes: 9, maxBytes: 5 });
    expect(await samples('broker_events_total')).toEqual([
      'broker_events_total{event="notification.created",result="done"} 2',
      'broker_events_total{event="other",result="invalid"} 1',
    ]);
    expect(await samples('broker_event_age_seconds_sum')).toEqual([
      'broker_event_age_seconds_sum{event="notification.created"} 3',
    ]);
    expect(await samples('redeliveries')).toEqual([
      'redeliveries_total{event="notification.created"} 1',
    ]);
    expect(await samples('dead_letters')).toEqual([
      'dead_letters_total{event="other",code="JSON"} 1',
    ]);
    expect(await samples('broker_up')).toEqual(['broker_up 1']);
    expect(await samples('redis_up')).toEqual([]);
    expect(await samples('redis_publish_errors')).toEqual(['redis_publish_errors_total 1']);
    expect(await samples('rate_limited')).toEqual(['rate_limited_total{what="flood"} 1']);
    expect(await samples('buffered')).toEqual(['buffered_bytes 9', 'buffered_bytes_max 5']);
  });

  it('have no more labels however many names and codes are made up', async () => {
    metrics = metricsAt(undefined);
    const namespace = '/notifications';
    for (let n = 0; n < 1_000; n++) {
      const event = `made.up.${n}`;
      report('client.event', { namespace, event, result: `CODE_${n}`, ms: 1 });
      report('broker.event', { event, result: 'done', redelivered: true, ms: 1, ageMs: 1 });
      report('broker.dead-letter', { event, code: `CODE_${n}` });
      report('emit', { namespace, event });
      report('handshake', { namespace, result: `CODE_${n}` });
    }
    const lines = (await text()).split('\n');
    expect(lines.length).toBeLessThan(350);
    expect(lines.join()).not.toContain('made.up');
    expect(await samples('emits')).toEqual([
      'emits_total{namespace="/notifications",event="other"} 1000',
    ]);
  });

  it('are to be had at their own address, and by GET /metrics alone', async () => {
    const [port] = await freePorts();
    metrics = metricsAt(`127.0.0.1:${port}`);
    metrics.onApplicationBootstrap();
    const url = `http://127.0.0.1:${port}`;
    const get = async () => {
      const response = await fetch(`${url}/metrics`).catch(() => undefined);
      return response?.ok ? response.text() : '';
    };
    await expect.poll(get).toContain('realtime_buffered_bytes 0');
    expect(await get()).toContain('nodejs_eventloop_lag_p99_seconds');
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
    // A scraper that keeps its connection does not hold the process.
    const idle = request(`${url}/metrics`).on('error', () => undefined);
    idle.flushHeaders();
    metrics.onApplicationShutdown();
    await expect.poll(get).toBe('');
    idle.destroy();
  });

  it('are nowhere without an address, and no reason to be down', async () => {
    const [port] = await freePorts();
    metrics = metricsAt(' ');
    metrics.onApplicationBootstrap();
    metrics.onApplicationShutdown();
    const first = metricsAt(`127.0.0.1:${port}`);
    const second = metricsAt(`127.0.0.1:${port}`);
    first.onApplicationBootstrap();
    second.onApplicationBootstrap();
    await delay(200);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
    first.onApplicationShutdown();
    second.onApplicationShutdown();
  });

  it.each(['9464', 'localhost', '127.0.0.1:x', '127.0.0.1:99999', 'a b:1', '::1:9464'])(
    'refuse the address %s',
    (address) => {
      metrics = metricsAt(address);
      expect(() => metrics!.onApplicationBootstrap()).toThrow(
        /^REALTIME_METRICS_ADDRESS .*allowed/,
      );
    },
  );

  it('are all that the dashboard asks for', async () => {
    const [port] = await freePorts();
    metrics = metricsAt(`127.0.0.1:${port}`);
    metrics.onApplicationBootstrap();
    const known = new Set(
      [...(await text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
        type === 'histogram' ? [`${name}_bucket`] : [name],
      ),
    );
    const file = '../../plugin/templates/observability/realtime.dashboard.json';
    const dashboard = readFileSync(join(import.meta.dirname, file), 'utf-8');
    const asked = [...dashboard.matchAll(/\b(?:realtime|nodejs)_[a-z0-9_]+/g)].map(
      ([name]) => name,
    );
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
    // And it leaves out none of ours.
    const shown = new Set(asked);
    const ours = [...known].filter((name) => name!.startsWith('realtime_'));
    expect(ours.filter((name) => !shown.has(name!))).toEqual([]);
  });
});

describe('tracing', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  let tracing: RealtimeTracing | undefined;

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
    // As W3C's, which comes with OpenTelemetry's SDK for Node.
    propagation.setGlobalPropagator({
      inject: () => undefined,
      fields: () => ['traceparent'],
      extract: (from, carrier, getter) => {
        const value = getter.get(carrier, 'traceparent');
        const [, traceId, spanId] = /^00-(\w{32})-(\w{16})-01$/.exec(String(value)) ?? [];
        return traceId && spanId
          ? trace.setSpanContext(from, { traceId, spanId, traceFlags: 1, isRemote: true })
          : from;
      },
    });
  });

  afterAll(() => {
    trace.disable();
    context.disable();
    propagation.disable();
  });

  afterEach(() => {
    exporter.reset();
    tracing?.onModuleDestroy();
  });

  const handle = async (
    handler: () => Promise<void>,
    delivery: Partial<Delivery> = {},
  ): Promise<Outcome[]> => {
    const handlers = new Map([['notification.created', handler as MessageHandler]]);
    const dispatcher = new BrokerDispatcher(handlers, new RequestContextService(), { retries: 0 });
    tracing = new RealtimeTracing({ dispatcher } as never);
    const outcomes: Outcome[] = [];
    const envelope = { pattern: 'notification.created', data: { tenantId: 't1' } };
    await dispatcher.handle(
      () => envelope,
      { redelivered: false, ...delivery },
      (outcome) => void outcomes.push(outcome),
    );
    return outcomes;
  };

  const emit = () => report('emit', { namespace: '/notifications', event: 'notification.created' });

  it('goes from the message of the broker to the emit, over awaits', async () => {
    const headers = { traceparent: `00-${parent.traceId}-${parent.spanId}-01`, other: 7 };
    const outcomes = await handle(
      async () => {
        await delay(5);
        emit();
      },
      { headers, id: 'm1' },
    );
    expect(outcomes).toEqual([{ kind: 'done' }]);
    const [emitted, processed] = exporter.getFinishedSpans();
    expect([emitted?.name, processed?.name]).toEqual([
      'emit notification.created',
      'process notification.created',
    ]);
    expect(processed?.spanContext().traceId).toBe(parent.traceId);
    expect(processed?.parentSpanContext?.spanId).toBe(parent.spanId);
    expect(processed?.attributes['messaging.message.id']).toBe('m1');
    expect(emitted?.parentSpanContext?.spanId).toBe(processed?.spanContext().spanId);
  });

  it.each([undefined, {}, { traceparent: 7 }, { traceparent: 'garbage' }])(
    'begins anew where the headers are %j',
    async (headers) => {
      await handle(async () => emit(), { headers });
      expect(exporter.getFinishedSpans()).toHaveLength(2);
      expect(exporter.getFinishedSpans()[1]?.parentSpanContext).toBeUndefined();
    },
  );

  it('goes on with the span that an instrumentation has opened', async () => {
    await provider.getTracer('amqplib').startActiveSpan('consume', async (span) => {
      await handle(async () => undefined);
      span.end();
    });
    const [processed, consumed] = exporter.getFinishedSpans();
    expect(processed?.parentSpanContext?.spanId).toBe(consumed?.spanContext().spanId);
  });

  it('tells a failure by its code alone, and does not change it', async () => {
    const outcomes = await handle(() =>
      Promise.reject(new BaseRpcException('invalid', 'PAYLOAD', 'hunter2')),
    );
    expect(outcomes).toMatchObject([{ kind: 'invalid' }]);
    const [span] = exporter.getFinishedSpans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(JSON.stringify([span?.attributes, span?.events, span?.status])).not.toContain('hunter2');
  });

  it('makes no span of an emit that no broker event asked for', async () => {
    await handle(async () => undefined);
    exporter.reset();
    emit();
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
