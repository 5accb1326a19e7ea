import type { Socket } from 'socket.io-client';
import { measure } from './command';
import type { RealtimeConnection } from './connection';
import {
  RealtimeCommandError,
  RealtimeContractError,
  type RealtimeFailure,
} from './errors';
import { retryDelay } from './retry-delay';
import { type EventSchemas, type PayloadOf, validate } from './schemas';
import {
  type RealtimeGap,
  type ResourceSubscriber,
  ResourceSubscriptions,
} from './subscriptions';

/**
 * State of a namespace.
 *
 * - `idle`: no component uses it, or nobody is signed in
 * - `connecting`: the first attempt runs
 * - `connected`: events arrive, commands can be sent
 * - `reconnecting`: it comes back by itself; `error` says why it was lost
 * - `refused`: it stays away until there is another token; `error` says why
 *
 * @example
 * const text: Record<RealtimeStatus, string> = { idle: 'Signed out', ... };
 */
export type RealtimeStatus =
  'idle' | 'connecting' | 'connected' | 'reconnecting' | 'refused';

/**
 * What the hook of each domain returns.
 *
 * @example
 * const { status, error } = useNotificationsSocket();
 */
export interface RealtimeState {
  readonly status: RealtimeStatus;
  /** Why there is no connection, when there should be one. */
  readonly error: RealtimeFailure | null;
}

/**
 * Sent with each server event.
 *
 * @example
 * useNotificationsSocket({ onNotificationCreated: (_payload, { at }) => log(at) });
 */
export interface RealtimeMeta {
  /** Identifies the event: a repeated one has the same. */
  readonly id: string;
  /** When the server sent it, ISO 8601. */
  readonly at: string;
}

/**
 * Handles one server event.
 *
 * @example
 * const onCreated: RealtimeHandler<NotificationCreated> = ({ message }, { at }) =>
 *   toast(`${at} ${message}`);
 */
export type RealtimeHandler<T> = (payload: T, meta: RealtimeMeta) => void;

/**
 * What uses a channel: each component, or code without React.
 *
 * @example
 * const release = notificationsChannel.acquire({
 *   receive: (event, payload) => log(event, payload),
 *   resync: refetch,
 *   fail: report,
 * });
 */
export interface ChannelUser<S extends EventSchemas = EventSchemas> {
  /** Called with each event that matches its contract, once. */
  receive<E extends keyof S & string>(
    event: E,
    payload: PayloadOf<S[E]>,
    meta: RealtimeMeta,
  ): void;
  /** Called at the first connection and after each gap: events were missed. */
  resync(gap: RealtimeGap): void;
  /** Called for each event that does not match its contract. */
  fail(error: RealtimeContractError): void;
}

/**
 * One namespace of the server, shared by all components that use it.
 *
 * @example
 * const notificationsChannel = realtime.channel('/notifications', {
 *   'notification.created': notificationCreatedSchema,
 * });
 */
export interface RealtimeChannel<S extends EventSchemas = EventSchemas> {
  /** How many events did not match their contract. */
  readonly rejected: number;
  readonly getState: () => RealtimeState;
  /** Calls back at each change of state, and returns what ends that. */
  readonly subscribe: (watcher: () => void) => () => void;
  /** Connects while there is a token; the last release disconnects. */
  acquire(user: ChannelUser<S>): () => void;
  /** Subscribes to a resource, and again after each reconnect, until released. */
  follow(subscriber: ResourceSubscriber): () => void;
  /**
   * Sends a client event, and resolves with the data of its acknowledgement. It
   * is never queued: what waits may arrive when it is no longer meant. What is
   * too large for the server is not sent: it would end the page's connection.
   *
   * @throws RealtimeCommandError
   */
  send(event: string, payload: unknown): Promise<unknown>;
  /** Hands a server event on as if it had arrived: for tests. */
  receive(event: string, body: unknown, meta: RealtimeMeta): void;
  /** Tells of a gap as if there had been one: for tests. */
  resync(gap: RealtimeGap): void;
}

export const IDLE: RealtimeState = { status: 'idle', error: null };

interface Refusal extends Error {
  readonly data?: { readonly code?: string };
}

/** Refusals that only another token can change. */
const FINAL_CODES: ReadonlySet<string | undefined> = new Set([
  'UNAUTHORIZED',
  'TOKEN_EXPIRED',
  'FORBIDDEN',
  'NAMESPACE_REQUIRED',
]);
/** Of them, those that another token of the same user does change. */
const RENEWABLE_CODES: ReadonlySet<string> = new Set([
  'UNAUTHORIZED',
  'TOKEN_EXPIRED',
]);
const ACK_TIMEOUT_MS = 5_000;
/** Long enough for StrictMode's second mount and for a change of page. */
const RELEASE_GRACE_MS = 1_000;
/** Of events: a broker may deliver one twice. */
const MAX_REMEMBERED_IDS = 1_000;

export class Channel<
  S extends EventSchemas = EventSchemas,
> implements RealtimeChannel<S> {
  rejected = 0;
  private readonly subscriptions = new ResourceSubscriptions(this);
  private state = IDLE;
  private socket: Socket | undefined;
  private presentedToken: string | null = null;
  /** The begin of what has been missed: at first, all that ever was. */
  private lostAt: number | null = 0;
  /** Grows with each start and end: what waited for the one before is late. */
  private turn = 0;
  private isRenewing = false;
  /** Since the last connection another token was tried. */
  private hasRenewed = false;
  private graceTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Commands so far: Socket.IO numbers them. */
  private sent = 0;
  private readonly watchers = new Set<() => void>();
  private readonly users = new Set<ChannelUser<S>>();
  private readonly ids = new Set<string>();
  private readonly reported = new Set<string>();

  constructor(
    private readonly namespace: string,
    public schemas: S,
    private readonly connection: RealtimeConnection,
  ) {}

  readonly getState = (): RealtimeState => this.state;

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Of this connection; undefined while there is none. */
  get socketId(): string | undefined {
    return this.socket?.connected ? this.socket.id : undefined;
  }

  /** True while it waits for the next attempt to connect. */
  get isWaiting(): boolean {
    return this.socket?.active === true && !this.socket.connected;
  }

  acquire(user: ChannelUser<S>): () => void {
    this.users.add(user);
    clearTimeout(this.graceTimer);
    if (this.state.status === 'idle') this.start();
    return () => {
      this.users.delete(user);
      if (this.users.size > 0) return;
      this.graceTimer = setTimeout(() => this.stop(), RELEASE_GRACE_MS);
    };
  }

  follow(subscriber: ResourceSubscriber): () => void {
    return this.subscriptions.add(subscriber);
  }

  async send(event: string, payload: unknown): Promise<unknown> {
    const { socket, socketId } = this;
    if (!socket || socketId === undefined) {
      throw new RealtimeCommandError('NOT_CONNECTED', 'Not connected');
    }
    const head = `42${this.namespace},${this.sent}`;
    measure(head, event, payload, this.connection.maxMessageBytes);
    this.sent += 1;
    const ack = await socket
      .timeout(ACK_TIMEOUT_MS)
      .emitWithAck(event, payload)
      .catch(() => {
        const code = socket.id === socketId ? 'TIMEOUT' : 'DISCONNECTED';
        const message = 'No answer: it may or may not have been carried out';
        throw new RealtimeCommandError(code, message);
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
    if (!Object.keys(this.schemas).includes(event)) return;
    if (meta?.id !== undefined && !this.isNew(`${event} ${meta.id}`)) return;
    const { value, issues } = validate(this.schemas[event] as S[string], body);
    if (!issues) {
      const payload = value as PayloadOf<S[string]>;
      this.tell((user) => user.receive(event, payload, meta));
      return;
    }
    this.rejected += 1;
    const error = new RealtimeContractError(event, issues);
    this.tell((user) => user.fail(error));
    if (this.reported.has(event)) return;
    this.reported.add(event);
    this.connection.faults.report(error);
  }

  resync(gap: RealtimeGap): void {
    this.tell((user) => user.resync(gap));
  }

  start(): void {
    if (this.users.size === 0 || this.connection.currentToken() === null)
      return;
    this.newTurn();
    if (!this.socket) {
      const socket = this.connection.openSocket(this.namespace, (present) => {
        // What is left of an earlier handshake may be another user's.
        if (this.socket) this.socket.receiveBuffer = [];
        this.presentedToken = this.connection.currentToken();
        present({ token: this.presentedToken });
      });
      if ('code' in socket) return this.set('refused', socket);
      this.socket = socket;
      this.listen(socket);
    }
    if (this.state.status !== 'reconnecting') this.set('connecting');
    this.socket.connect();
  }

  /** Ends, and forgets what belongs to the user. */
  stop(): void {
    clearTimeout(this.graceTimer);
    this.newTurn();
    this.socket?.disconnect();
    this.lostAt = 0;
    this.hasRenewed = false;
    this.ids.clear();
    this.subscriptions.forget();
    this.set('idle');
  }

  /** Gives the connection up until the next start; false if there is none. */
  interrupt(failure: RealtimeFailure): boolean {
    const { status } = this.state;
    if (status === 'idle' || status === 'refused') return false;
    this.newTurn();
    this.socket?.disconnect();
    this.set('reconnecting', failure);
    return true;
  }

  /** There is another token of the same user. */
  renew(): void {
    if (this.state.status === 'refused' || this.isRenewing) this.start();
  }

  private listen(socket: Socket): void {
    const { connection } = this;
    socket.on('connect', () => {
      const { lostAt } = this;
      this.lostAt = null;
      this.hasRenewed = false;
      this.set('connected');
      connection.connected(this.presentedToken);
      this.subscriptions.restore();
      if (lostAt !== null) {
        this.resync({ since: new Date(lostAt), until: new Date() });
      }
    });
    socket.on('connect_error', (error: Refusal) => {
      const code = error.data?.code;
      if (socket.active) {
        this.set('reconnecting', connection.unreachable(error.message));
        return;
      }
      const failure = { code: code ?? 'UNAVAILABLE', message: error.message };
      const { presentedToken } = this;
      if (FINAL_CODES.has(code)) void this.refuse(failure, presentedToken);
      else this.retry(failure, error.data);
    });
    socket.on('disconnect', (reason) => {
      socket.sendBuffer = [];
      this.lostAt ??= connection.lastSeen;
      this.subscriptions.suspend(this.lostAt);
      const { farewell, isDraining } = connection;
      const code = isDraining ? 'DRAINING' : 'DISCONNECTED';
      const failure = { code, message: reason };
      if (reason === 'io client disconnect') return;
      if (reason !== 'io server disconnect') this.set('reconnecting', failure);
      else if (farewell) void this.refuse(farewell, connection.token);
      else this.retry(failure);
    });
    socket.on('realtime.expired', () => connection.expired());
    socket.on('realtime.kicked', () => connection.kicked());
    socket.on('realtime.draining', (body) => connection.draining(body));
    socket.onAny((event, body, meta) => this.receive(event, body, meta));
  }

  private isNew(id: string): boolean {
    if (this.ids.has(id)) return false;
    this.ids.add(id);
    const [oldest] = this.ids;
    if (this.ids.size > MAX_REMEMBERED_IDS) this.ids.delete(oldest ?? id);
    return true;
  }

  private tell(notify: (user: ChannelUser<S>) => void): void {
    const { faults } = this.connection;
    for (const user of [...this.users]) faults.guard(() => notify(user));
  }

  /** Final, unless there is another token, or can be. */
  private async refuse(
    failure: RealtimeFailure,
    token: string | null,
  ): Promise<void> {
    const isFinal = failure.code === 'KICKED';
    if (!isFinal && this.connection.currentToken() !== token)
      return this.start();
    const isRenewable = RENEWABLE_CODES.has(failure.code) && !this.hasRenewed;
    const renewal = isRenewable ? this.connection.renewToken(token) : null;
    if (!renewal) return this.set('refused', failure);
    const { turn } = this;
    this.isRenewing = true;
    this.hasRenewed = true;
    this.set('reconnecting', failure);
    const outcome = await renewal;
    if (turn !== this.turn) return;
    this.isRenewing = false;
    if (outcome === 'declined') return this.set('refused', failure);
    this.hasRenewed = outcome === 'renewed';
    if (outcome === 'renewed') this.start();
    else this.retry(failure);
  }

  /** A refused socket is not reconnected by Socket.IO. */
  private retry(failure: RealtimeFailure, asked?: unknown): void {
    this.set('reconnecting', failure);
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.start(), retryDelay(asked));
  }

  private newTurn(): void {
    this.turn += 1;
    this.isRenewing = false;
    clearTimeout(this.retryTimer);
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
