import { Manager, type Socket } from 'socket.io-client';
import { getAccessToken } from './auth';
import {
  type RealtimeCommandError,
  type RealtimeFailure,
  reportFault,
  retryDelay,
} from './failures';
import type { RealtimeChannel } from './realtime-channel';
import { renewalDelay, renewToken } from './token-refresh';

type Present = (auth: { token: string | null }) => void;

const RECONNECT_MS = { min: 1_000, max: 30_000 };
/** With Socket.IO's heartbeat, a connection that is silent longer is dead. */
const MAX_SILENCE_MS = 50_000;

/** Failures of a refresh that say nothing about the token. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'TIMEOUT',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'INTERNAL',
]);

/** The one connection of a page: it carries all namespaces. */
export class RealtimeConnection {
  /** The token that the server has accepted. */
  token: string | null = null;
  /** Why the server is about to disconnect. */
  farewell: RealtimeFailure | null = null;
  isDraining = false;
  /** When the server was last heard of. */
  lastSeen = 0;
  private manager: Manager | undefined;
  private isRefreshing = false;
  private suspended: RealtimeChannel[] = [];
  private renewalTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly channels: ReadonlyMap<string, RealtimeChannel>,
    private readonly url: () => string | RealtimeFailure,
  ) {}

  /** A socket that is yet to be connected, or why there is none. */
  openSocket(
    namespace: string,
    auth: (present: Present) => void,
  ): Socket | RealtimeFailure {
    if (!this.manager) {
      const url = this.url();
      if (typeof url !== 'string') return url;
      this.manager = this.createManager(url);
    }
    return this.manager.socket(namespace, { auth });
  }

  /** For a handshake, which waits for ever when this throws. */
  currentToken(): string | null {
    try {
      return getAccessToken();
    } catch (error) {
      reportFault(error);
      return null;
    }
  }

  /** A namespace is connected. */
  connected(token: string | null): void {
    this.seen();
    this.isDraining = false;
    this.manager?.reconnectionDelay(RECONNECT_MS.min);
    this.accepted(token);
    void this.refresh();
  }

  expired(): void {
    this.farewell = { code: 'TOKEN_EXPIRED', message: 'The token expired' };
    if (this.currentToken() === this.token) void this.renew(this.token);
  }

  kicked(): void {
    this.farewell = { code: 'KICKED', message: 'Closed by the server' };
  }

  /** The server will close the connection, and names a time to return. */
  draining(body: unknown): void {
    const { reconnectInMs } = { ...(body as { reconnectInMs?: unknown }) };
    const { min, max } = RECONNECT_MS;
    this.isDraining = true;
    this.manager?.reconnectionDelay(
      Math.min(Math.max(Number(reconnectInMs) || min, min / 2), max),
    );
  }

  /** Sends another token of the same user: the connection lives as long. */
  async refresh(): Promise<void> {
    const token = getAccessToken();
    const [channel] = this.connectedChannels();
    if (!channel || token === null || token === this.token) return;
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    const error = await channel
      .send('realtime.refresh', { token })
      .then(() => null)
      .catch((reason: RealtimeCommandError) => reason);
    this.isRefreshing = false;
    if (error === null) this.accepted(token);
    if (error === null || error.code === 'DISCONNECTED') return this.refresh();
    if (TRANSIENT_CODES.has(error.code)) {
      setTimeout(() => void this.refresh(), retryDelay(error.details));
      return;
    }
    // A new handshake decides what this token is worth.
    const { code, message } = error;
    this.restart([...this.channels.values()], { code, message });
  }

  private accepted(token: string | null): void {
    this.token = token;
    this.farewell = null;
    clearTimeout(this.renewalTimer);
    const delay = token === null ? null : renewalDelay(token);
    if (delay === null) return;
    this.renewalTimer = setTimeout(() => void this.renew(token), delay);
  }

  private async renew(token: string | null): Promise<void> {
    const isWanted = (): boolean =>
      this.currentToken() === token && this.connectedChannels().length > 0;
    if (!isWanted()) return;
    const outcome = await renewToken(token);
    if (outcome !== 'failed' || !isWanted()) return;
    clearTimeout(this.renewalTimer);
    const again = (): void => void this.renew(token);
    this.renewalTimer = setTimeout(again, retryDelay(undefined));
  }

  private connectedChannels(): RealtimeChannel[] {
    const channels = [...this.channels.values()];
    return channels.filter(({ socketId }) => socketId !== undefined);
  }

  private createManager(url: string): Manager {
    const manager = new Manager(url, {
      autoConnect: false,
      transports: ['websocket'],
      reconnectionDelay: RECONNECT_MS.min,
      reconnectionDelayMax: RECONNECT_MS.max,
      timeout: 10_000,
    });
    manager.on('ping', this.seen);
    manager.on('packet', this.seen);
    window.addEventListener('online', this.wake);
    document.addEventListener('visibilitychange', this.wake);
    window.addEventListener('pagehide', this.suspend);
    window.addEventListener('pageshow', this.resume);
    return manager;
  }

  private readonly seen = (): void => {
    this.lastSeen = Date.now();
  };

  /** Tries at once, instead of after the rest of a long delay. */
  private readonly wake = (): void => {
    if (document.hidden) return;
    const isSilent = Date.now() - this.lastSeen > MAX_SILENCE_MS;
    const isConnected = this.connectedChannels().length > 0;
    const isClosed = this.manager?.engine?.readyState === 'closed';
    const channels = [...this.channels.values()];
    const failure = { code: 'DISCONNECTED', message: 'No sign of life' };
    // After sleep the heartbeat's own timer may fire much later.
    if (isConnected && isSilent) this.restart(channels, failure);
    else if (isClosed) {
      const waiting = channels.filter(({ isWaiting }) => isWaiting);
      this.restart(waiting, failure);
    }
  };

  /** A page with an open connection is not kept for the back button. */
  private readonly suspend = (): void => {
    const failure = { code: 'SUSPENDED', message: 'The page is left' };
    this.suspended = this.interrupt([...this.channels.values()], failure);
  };

  private readonly resume = (): void => {
    for (const channel of this.suspended) channel.start();
    this.suspended = [];
    this.wake();
  };

  private restart(
    channels: readonly RealtimeChannel[],
    failure: RealtimeFailure,
  ): void {
    // All first: the last one to go takes the old connection with it.
    const interrupted = this.interrupt(channels, failure);
    for (const channel of interrupted) channel.start();
  }

  private interrupt(
    channels: readonly RealtimeChannel[],
    failure: RealtimeFailure,
  ): RealtimeChannel[] {
    return channels.filter((channel) => channel.interrupt(failure));
  }
}
