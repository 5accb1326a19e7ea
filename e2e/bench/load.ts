/**
 * A load generator in a process of its own: opens connections and counts what arrives. Takes commands over IPC, one
 * at a time, and answers each. Forked by `worker.ts`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ageOf, micros, percentile, stamp } from './clock';
import { RawConnection, type Protocol } from './raw-connection';
import { serve } from './serve';

export interface LoadCommands {
  /** Opens one connection for each token, `concurrency` at a time. */
  open: {
    in: {
      readonly port: number;
      readonly ports?: readonly number[];
      readonly protocol: Protocol;
      readonly tokens: readonly string[];
      readonly concurrency: number;
    };
    out: { seconds: number; p50: number; p99: number; failed: number; refusal?: string };
  };
  /** Forgets what was counted, and begins to measure the age of events, or only to count them. */
  reset: { in: { readonly ages: boolean }; out: null };
  /** Resolves when so many events have arrived since `reset`, or after `timeoutMs`. */
  wait: {
    in: { readonly events: number; readonly timeoutMs: number };
    out: { events: number; lastAt: number; p50: number; p99: number; max: number };
  };
  /** Each connection sends client events and waits for each acknowledgement, `rate` a second in all; 0: at once. */
  emit: {
    in: { readonly seconds: number; readonly rate: number };
    out: { acks: number; refused: number; perSecond: number; p50: number; p99: number };
  };
  /** The first connection stops reading. */
  pauseOne: { in: null; out: null };
  /** The second connection sends client events as fast as it can, until `close`. */
  flood: { in: null; out: null };
  connected: { in: null; out: { open: number } };
  cpu: { in: null; out: { seconds: number } };
  close: { in: null; out: null };
}

const NAMESPACE = '/notifications';
const ACK_OK = Buffer.from('"ok":true');

let connections: RawConnection[] = [];
let protocol: Protocol = 'socket.io';
let measuring = false;
let events = 0;
let lastAt = 0;
let ages: number[] = [];
let expected = Infinity;
let arrived: (() => void) | undefined;
let flooding: NodeJS.Timeout | undefined;
const onAck = new Map<RawConnection, (payload: Buffer) => void>();
let refused = 0;

function onEvent(payload: Buffer): void {
  events += 1;
  if (measuring) {
    const age = ageOf(payload);
    if (age !== undefined) ages.push(age);
  }
  if (events >= expected) {
    lastAt = micros();
    arrived?.();
  }
}

serve<LoadCommands>({
  async open({ port, ports = [port], tokens, concurrency, ...rest }) {
    protocol = rest.protocol;
    const times: number[] = [];
    let failed = 0;
    let refusal: string | undefined;
    let next = 0;
    const started = micros();
    const worker = async (): Promise<void> => {
      while (next < tokens.length) {
        const index = next++;
        const token = tokens[index] as string;
        const at = micros();
        try {
          const connection: RawConnection = await RawConnection.open(
            { port: ports[index % ports.length] as number, protocol, namespace: NAMESPACE, token },
            { onEvent, onAck: (payload) => onAck.get(connection)?.(payload) },
          );
          connections.push(connection);
          times.push((micros() - at) / 1_000);
        } catch (error) {
          failed += 1;
          refusal ??= String(error);
        }
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    const seconds = (micros() - started) / 1e6;
    const result = { seconds, p50: percentile(times, 50), p99: percentile(times, 99), failed };
    return { ...result, ...(refusal !== undefined && { refusal }) };
  },

  async reset({ ages: measure }) {
    events = 0;
    ages = [];
    expected = Infinity;
    measuring = measure;
    return null;
  },

  async wait({ events: wanted, timeoutMs }) {
    expected = wanted;
    if (events < wanted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    } else {
      lastAt = micros();
    }
    arrived = undefined;
    const sorted = Float64Array.from(ages).sort();
    return {
      events,
      lastAt,
      p50: percentile(sorted, 50),
      p99: percentile(sorted, 99),
      max: sorted.at(-1) ?? NaN,
    };
  },

  async emit({ seconds, rate }) {
    const until = micros() + seconds * 1e6;
    const times: number[] = [];
    refused = 0;
    const pause = rate > 0 ? (connections.length / rate) * 1_000 : 0;
    await Promise.all(
      connections.map(async (connection, index) => {
        // Spread over the interval: a rate, not a burst each interval.
        if (pause > 0) await delay((pause * index) / connections.length);
        let id = 0;
        while (micros() < until) {
          const at = micros();
          await roundTrip(connection, (id += 1));
          const took = (micros() - at) / 1_000;
          times.push(took);
          if (pause > took) await delay(pause - took);
        }
      }),
    );
    return {
      acks: times.length,
      refused,
      perSecond: times.length / seconds,
      p50: percentile(times, 50),
      p99: percentile(times, 99),
    };
  },

  async pauseOne() {
    connections[0]?.pause();
    return null;
  },

  async flood() {
    const flooder = connections[1];
    flooding = setInterval(() => {
      for (let count = 0; count < 20; count += 1) flooder?.send(clientEvent(count));
    }, 1);
    return null;
  },

  async connected() {
    return { open: connections.length };
  },

  async cpu() {
    const { user, system } = process.cpuUsage();
    return { seconds: (user + system) / 1e6 };
  },

  async close() {
    clearInterval(flooding);
    for (const connection of connections) connection.close();
    connections = [];
    onAck.clear();
    return null;
  },
});

function clientEvent(id: number): string {
  const body = JSON.stringify(['notification.markRead', { notificationId: stamp() }]);
  return protocol === 'socket.io' ? `42${NAMESPACE},${id}${body}` : JSON.stringify([id, body]);
}

function roundTrip(connection: RawConnection, id: number): Promise<void> {
  return new Promise((resolve) => {
    onAck.set(connection, (payload) => {
      if (payload.indexOf(ACK_OK) < 0) refused += 1;
      resolve();
    });
    connection.send(clientEvent(id));
  });
}
