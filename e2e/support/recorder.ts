import { setTimeout as delay } from 'node:timers/promises';
import { Manager, type Socket } from 'socket.io-client';

export interface Received {
  readonly event: string;
  readonly payload: { readonly id: string };
  readonly meta: { readonly id: string; readonly at: string };
}

export interface ConnectOptions {
  readonly token?: string | undefined;
  /** Of the upgrade request; absent: none, as native clients send it. */
  readonly origin?: string;
}

/** Why a connection was refused: the message, and `data.code` where the server gave one. */
export interface Refusal {
  readonly message: string;
  readonly code: string | undefined;
}

/** A client that writes down all that it receives, from its first moment on. */
export class Recorder {
  readonly received: Received[] = [];

  private constructor(
    readonly name: string,
    readonly socket: Socket,
  ) {
    socket.onAny((event: string, payload: Received['payload'], meta: Received['meta']) => {
      this.received.push({ event, payload, meta });
    });
  }

  /** @throws Error with the refusal's message */
  static async connect(
    name: string,
    url: string,
    namespace: string,
    options: ConnectOptions,
  ): Promise<Recorder> {
    const socket = open(url, namespace, options);
    const recorder = new Recorder(name, socket);
    const outcome = await settle(socket);
    if (outcome !== 'connected') {
      socket.disconnect();
      throw new Error(`${name} was refused: ${outcome.message}`);
    }
    return recorder;
  }

  /** How often an event with that payload id arrived. */
  readonly count = (payloadId: string): number =>
    this.received.filter(({ payload }) => payload?.id === payloadId).length;

  close(): void {
    this.socket.disconnect();
  }
}

/**
 * The refusal that a connection attempt meets.
 * @throws Error when the connection is accepted
 */
export async function refusalOf(
  url: string,
  namespace: string,
  options: ConnectOptions,
): Promise<Refusal> {
  const socket = open(url, namespace, options);
  const outcome = await settle(socket);
  socket.disconnect();
  if (outcome === 'connected') throw new Error(`${namespace} accepted the connection`);
  return outcome;
}

/**
 * The names of those who received the payload id, each as often as it arrived, once all of `expected` have.
 * `sendBarriers` then sends everyone an event whose id is `barrier`. Who has that, and not the other, will not
 * get the other any more: events to one socket keep their order.
 */
export async function recipientsOf(
  payloadId: string,
  expected: readonly string[],
  recorders: readonly Recorder[],
  sendBarriers: (barrier: string) => Promise<void>,
): Promise<string[]> {
  await received(
    payloadId,
    recorders.filter(({ name }) => expected.includes(name)),
  );
  const barrier = `barrier-after-${payloadId}`;
  await sendBarriers(barrier);
  await received(barrier, recorders);
  return recorders
    .flatMap((recorder) => Array<string>(recorder.count(payloadId)).fill(recorder.name))
    .sort();
}

function received(payloadId: string, recorders: readonly Recorder[]): Promise<void> {
  const missing = (): Recorder[] => recorders.filter(({ count }) => count(payloadId) === 0);
  return until(
    () => missing().length === 0,
    () =>
      `${missing()
        .map(({ name }) => name)
        .join(', ')} never received ${payloadId}`,
  );
}

/** Resolves when the condition holds; rejects with `problem()` when it does not within the time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  problem: () => string,
  timeoutMs = 15_000,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await condition()); await delay(25)) {
    if (Date.now() > deadline) throw new Error(problem());
  }
}

function open(url: string, namespace: string, { token, origin }: ConnectOptions): Socket {
  const manager = new Manager(url, {
    autoConnect: false,
    reconnection: false,
    transports: ['websocket'],
    ...(origin && { extraHeaders: { origin } }),
  });
  const socket = manager.socket(namespace, { auth: token === undefined ? {} : { token } });
  socket.connect();
  return socket;
}

function settle(socket: Socket): Promise<'connected' | Refusal> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('Neither accepted nor refused within 15 s')),
      15_000,
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve('connected');
    });
    socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
      clearTimeout(timer);
      resolve({ message: error.message, code: error.data?.code });
    });
  });
}
