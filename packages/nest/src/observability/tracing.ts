import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { type Around, RealtimeBroker } from '../broker/broker';
import { listen } from './diagnostics';

type Headers = Readonly<Record<string, unknown>>;

/** A header may hold anything; a trace context is text. */
const GETTER: TextMapGetter<Headers> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => {
    const value = headers[key];
    return typeof value === 'string' ? value : undefined;
  },
};

/**
 * Spans from the message of the broker to the emit. Without a tracer provider
 * of the host, OpenTelemetry makes nothing of them.
 */
@Injectable()
export class RealtimeTracing implements OnModuleDestroy {
  private readonly tracer = trace.getTracer('realtime');
  private readonly stop: () => void;

  constructor(@Inject(RealtimeBroker) broker: RealtimeBroker) {
    broker.dispatcher.surround(this.traceEvent);
    this.stop = listen('emit', (fields) => this.traceEmit(fields));
  }

  onModuleDestroy(): void {
    this.stop();
  }

  private readonly traceEvent: Around = (event, delivery, work) => {
    const { id, headers = {}, redelivered } = delivery;
    // An instrumentation of amqplib has opened a span with the same parent.
    const parent = trace.getActiveSpan()
      ? context.active()
      : propagation.extract(ROOT_CONTEXT, headers, GETTER);
    const options = {
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.operation.name': 'process',
        'messaging.destination.name': event,
        'realtime.redelivered': redelivered,
        ...(id !== undefined && { 'messaging.message.id': id }),
      },
    };
    return this.tracer.startActiveSpan(
      `process ${event}`,
      options,
      parent,
      (span) => ended(span, work),
    );
  };

  /** Traces what a broker event sends, inside its span. */
  private traceEmit(fields: { namespace: string; event: string }): void {
    if (trace.getActiveSpan()) {
      const { namespace, event } = fields;
      const attributes = { 'realtime.namespace': namespace };
      const options = { kind: SpanKind.PRODUCER, attributes };
      this.tracer.startSpan(`emit ${event}`, options).end();
    }
  }
}

async function ended<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The text of an error may hold what the event holds.
    const { code = 'INTERNAL' } = Object(error) as { code?: unknown };
    span.setAttribute('error.type', String(code));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
