import type { Manager, Socket } from 'socket.io-client';
import type { z } from 'zod';
import { getAccessToken } from './auth';

export type RealtimeStatus =
  'idle' | 'connecting' | 'connected' | 'reconnecting' | 'refused';

export interface RealtimeFailure {
  readonly code: string;
  readonly message: string;
}

export interface RealtimeState {
  readonly status: RealtimeStatus;
  /** Why there is no connection, when there should be one. */
  readonly error: RealtimeFailure | null;
}

export interface RealtimeMeta {
  id: string;
  at: string;
}

export type EventHandler<T> = (payload: T, meta: RealtimeMeta) => void;

export type EventSchemas = Readonly<Record<string, z.ZodType>>;

export type Listener<S extends EventSchemas> = <E extends keyof S & string>(
  event: E,
  payload: z.infer<S[E]>,
  meta: RealtimeMeta,
) => void;

/** A failed command: the server's code, or NOT_CONNECTED, or TIMEOUT. */
export class RealtimeCommandError extends Error {
  override readonly name = 'RealtimeCommandError';

  constructor(
    readonly code: string,
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }
}

let report = (error: unknown): void => {
  setTimeout(() => {
    throw error;
  });
};

/** Faults no component can handle become uncaught errors, or come here. */
export function setRealtimeReporter(reporter: (error: unknown) => void): void {
  report = reporter;
}

export function reportFault(error: unknown): void {
  report(error);
}

/** Runs a callback so that its error stops neither us nor the next one. */
export function guarded(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    report(error);
  }
}

/** Of a resource that a component subscribes to. */
export interface SubscriptionState {
  readonly subscribed: boolean;
  /** Why not, when the server has refused. */
  readonly subscriptionError: RealtimeFailure | null;
}

export const UNSUBSCRIBED: SubscriptionState = {
  subscribed: false,
  subscriptionError: null,
};

interface Subscriber {
  /** Of the events `<domain>.subscribe` and `<domain>.unsubscribe`. */
  readonly domain: string;
  readonly id: string;
  readonly notify: (state: SubscriptionState) => void;
}

export const IDLE: RealtimeState = { status: 'idle', error: null };

interface Refusal {
  code?: string;
  retryAfterMs?: number;
}

/** Refusals that only another token can change. */
const FINAL_CODES: ReadonlySet<string | undefined> = new Set([
  'UNAUTHORIZED',
  'TOKEN_EXPIRED',
  'FORBIDDEN',
  'NAMESPACE_REQUIRED',
]);
const ACK_TIMEOUT_MS = 5_000;
/** Long enough for StrictMode's second mount and for a change of page. */
const RELEASE_GRACE_MS = 1_000;
const RETRY_MS = { min: 500, usual: 5_000, max: 300_000 };

/** One namespace, shared by all components that use it. */
export class RealtimeChannel<S extends EventSchemas = EventSchemas> {
  /** How many events did not match the contract. */
  rejected = 0;
  private state = IDLE;
  private users = 0;
  private socket: Socket | undefined;
  private presentedToken: string | null = null;
  private farewell: RealtimeFailure | null = null;
  private graceTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly watchers = new Set<() => void>();
  private readonly listeners = new Set<Listener<S>>();
  private readonly subscribers = new Set<Subscriber>();
  private readonly reported = new Set<string>();

  constructor(
    private readonly namespace: string,
    public schemas: S,
    private readonly openManager: () => Manager | RealtimeFailure,
  ) {}

  readonly getState = (): RealtimeState => this.state;

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Connects while there is a token; the last release disconnects. */
  acquire(listener: Listener<S>): () => void {
    this.users += 1;
    this.listeners.add(listener);
    clearTimeout(this.graceTimer);
    if (this.state.status === 'idle') this.start();
    return () => {
      this.listeners.delete(listener);
      this.users -= 1;
      if (this.users > 0) return;
      this.graceTimer = setTimeout(() => this.stop(), RELEASE_GRACE_MS);
    };
  }

  /** Subscribes to a resource, and again after each reconnect. */
  follow(subscriber: Subscriber): () => void {
    this.subscribers.add(subscriber);
    void this.ask(subscriber);
    return () => {
      this.subscribers.delete(subscriber);
      const { domain, id } = subscriber;
      const shared = [...this.subscribers].some((other) => other.id === id);
      if (shared || !this.socket?.connected) return;
      this.send(`${domain}.unsubscribe`, { id }).catch(() => undefined);
    };
  }

  /** Never queued: what waits may arrive when it is no longer meant. */
  async send(event: string, payload: unknown): Promise<unknown> {
    if (!this.socket?.connected) {
      throw new RealtimeCommandError('NOT_CONNECTED', 'Not connected');
    }
    const ack = await this.socket
      .timeout(ACK_TIMEOUT_MS)
      .emitWithAck(event, payload)
      .catch(() => {
        const message = 'No answer: it may or may not have been carried out';
        throw new RealtimeCommandError('TIMEOUT', message);
      });
    if (ack?.ok === true) return ack.data;
    const { code, message, details } = ack?.error ?? {};
    throw new RealtimeCommandError(
      code ?? 'INTERNAL',
      message ?? 'Internal error',
      details,
    );
  }

  /** The one door of server events: what breaks the contract stays out. */
  receive(event: string, body: unknown, meta: RealtimeMeta): void {
    if (!Object.hasOwn(this.schemas, event)) return;
    const result = this.schemas[event]?.safeParse(body);
    if (result?.success) {
      const payload = result.data as z.infer<S[string]>;
      for (const listener of [...this.listeners]) {
        guarded(() => listener(event, payload, meta));
      }
      return;
    }
    this.rejected += 1;
    if (this.reported.has(event)) return;
    this.reported.add(event);
    const message = `${event} does not match its contract`;
    report(new Error(message, { cause: result?.error }));
  }

  start(): void {
    if (this.users === 0 || getAccessToken() === null) return;
    if (!this.socket) {
      const manager = this.openManager();
      if ('code' in manager) return this.set('refused', manager);
      this.socket = this.createSocket(manager);
    }
    this.set('connecting');
    this.socket.connect();
  }

  stop(): void {
    clearTimeout(this.graceTimer);
    clearTimeout(this.retryTimer);
    this.socket?.disconnect();
    this.set('idle');
  }

  /** Another token of the same user. */
  renew(): void {
    if (this.state.status === 'refused') this.start();
    if (this.state.status === 'connected') void this.refresh();
  }

  /** True while it waits for the Manager's next attempt. */
  get waiting(): boolean {
    return this.socket?.active === true && !this.socket.connected;
  }

  private createSocket(manager: Manager): Socket {
    const socket = manager.socket(this.namespace, {
      auth: (present) => {
        // What is left of an earlier handshake may be another user's.
        socket.receiveBuffer = [];
        this.presentedToken = getAccessToken();
        present({ token: this.presentedToken });
      },
    });
    socket.on('connect', () => {
      this.farewell = null;
      this.set('connected');
      if (getAccessToken() !== this.presentedToken) void this.refresh();
      for (const subscriber of this.subscribers) void this.ask(subscriber);
    });
    socket.on('connect_error', (error: Error & { data?: Refusal }) => {
      const { code, retryAfterMs } = error.data ?? {};
      if (socket.active) {
        const failure = { code: 'UNREACHABLE', message: error.message };
        this.set('reconnecting', failure);
        return;
      }
      const failure = { code: code ?? 'UNAVAILABLE', message: error.message };
      if (FINAL_CODES.has(code)) this.refuse(failure);
      else this.retry(failure, retryAfterMs);
    });
    socket.on('disconnect', (reason) => {
      socket.sendBuffer = [];
      for (const { notify } of this.subscribers) {
        guarded(() => notify(UNSUBSCRIBED));
      }
      const failure = { code: 'DISCONNECTED', message: reason };
      if (reason === 'io client disconnect') return;
      if (reason !== 'io server disconnect') this.set('reconnecting', failure);
      else if (this.farewell) this.refuse(this.farewell);
      else this.retry(failure);
    });
    socket.on('realtime.expired', () => {
      this.farewell = { code: 'TOKEN_EXPIRED', message: 'The token expired' };
    });
    socket.on('realtime.kicked', () => {
      this.farewell = { code: 'KICKED', message: 'Closed by the server' };
    });
    socket.onAny((event, body, meta) => this.receive(event, body, meta));
    return socket;
  }

  private async ask(subscriber: Subscriber): Promise<void> {
    const socketId = this.socket?.connected ? this.socket.id : undefined;
    if (socketId === undefined) return;
    const { domain, id, notify } = subscriber;
    const state = await this.send(`${domain}.subscribe`, { id }).then(
      () => ({ subscribed: true, subscriptionError: null }),
      ({ code, message }: RealtimeCommandError) => ({
        subscribed: false,
        subscriptionError: { code, message },
      }),
    );
    const current =
      this.subscribers.has(subscriber) && this.socket?.id === socketId;
    if (current) guarded(() => notify(state));
  }

  private async refresh(): Promise<void> {
    const token = getAccessToken();
    const id = this.socket?.id;
    const ack = await this.socket
      ?.timeout(ACK_TIMEOUT_MS)
      .emitWithAck('realtime.refresh', { token })
      .catch(() => null);
    if (id === undefined || this.socket?.id !== id) return;
    if (ack?.ok === true) {
      this.presentedToken = token;
      this.farewell = null;
      return;
    }
    // A new handshake decides what this token is worth.
    this.socket.disconnect();
    this.start();
  }

  /** Final, unless the token was replaced meanwhile. */
  private refuse(failure: RealtimeFailure): void {
    const renewed = getAccessToken() !== this.presentedToken;
    if (renewed && failure.code !== 'KICKED') this.start();
    else this.set('refused', failure);
  }

  /** A refused socket is not reconnected by Socket.IO. */
  private retry(failure: RealtimeFailure, afterMs = RETRY_MS.usual): void {
    const delay = Math.min(Math.max(afterMs, RETRY_MS.min), RETRY_MS.max);
    this.set('reconnecting', failure);
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(
      () => this.socket?.connect(),
      delay * (1 + Math.random() / 2),
    );
  }

  private set(
    status: RealtimeStatus,
    error: RealtimeFailure | null = null,
  ): void {
    const { state } = this;
    if (status === state.status && error?.code === state.error?.code) return;
    this.state = error ? { status, error } : { status, error: null };
    for (const watcher of [...this.watchers]) watcher();
  }
}
