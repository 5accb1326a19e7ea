import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { ClusterMessage } from 'socket.io-adapter';
import type { LinkHealth } from '../observability/link-health';
import { ReplicaStream } from './redis';
import { ReplicaAdapter } from './replica.adapter';
import type { RealtimeServer } from '../connections/socket';
import { withTimeLimit } from '../time-limit';

const EVENT = 'realtime.replicas';
/** Socket.IO gives up after 5 s, but knows of no replica without Redis. */
const ANSWER_MS = 6_000;

interface Command<T> {
  readonly run: (message: T) => void | Promise<void>;
  readonly isRemembered: boolean;
}

/** The other replicas of this app, linked by Redis. */
@Injectable()
export class Replicas {
  private readonly logger = new Logger(Replicas.name);
  private readonly commands = new Map<string, Command<unknown>>();
  private stream: ReplicaStream | undefined;
  private server: RealtimeServer | undefined;
  private lost: () => void = () => undefined;
  private missed: () => void = () => undefined;

  /** Links this replica to the others. Call it before `serve`. */
  async connect(url: string, key: string): Promise<void> {
    this.stream = await ReplicaStream.open(url, key, randomUUID(), (stream) =>
      this.recall(stream),
    );
  }

  /**
   * Has the server share its rooms with the other replicas.
   *
   * @param hasOwnQueue every replica gets all broker events by itself
   */
  serve(server: RealtimeServer, hasOwnQueue: boolean): void {
    this.server = server;
    const { stream } = this;
    if (!stream) {
      return;
    }
    const adapters = new Map<unknown, ReplicaAdapter>();
    // Socket.IO calls it with `new`.
    server.adapter(function (namespace) {
      const adapter = new ReplicaAdapter(namespace, stream, hasOwnQueue);
      adapters.set(namespace.name, adapter);
      return adapter;
    });
    server.on(EVENT, (name: string, message: unknown, done: () => void) => {
      this.run(name, message).then(done, (error) => this.logger.error(error));
    });
    stream.read({
      read: (message) => {
        const { nsp } = message as ClusterMessage;
        adapters.get(nsp)?.onMessage(message as ClusterMessage);
      },
      missed: () => this.resync(),
      lost: () => this.lost(),
    });
  }

  /** True without Redis. */
  get isAlone(): boolean {
    return this.stream === undefined;
  }

  /** State of the connection to the others. */
  health(): LinkHealth {
    return this.stream?.health() ?? { ok: true, detail: 'one replica' };
  }

  /** Resolves as soon as the others are reached. */
  async ready(): Promise<void> {
    await this.stream?.ready();
  }

  /** Calls back when the others were not reached for a while. */
  onLost(listener: () => void): void {
    this.lost = listener;
  }

  /** Calls back when events were missed. */
  onMissed(listener: () => void): void {
    this.missed = listener;
  }

  /**
   * Tells that events were missed: clients that come back ask for what they
   * lack.
   */
  resync(): void {
    this.missed();
  }

  /**
   * Returns a function that runs `run` here at once and on every other replica,
   * with `isRemembered` also on those that start later. It rejects when a
   * replica has not answered: those that did have run it, the others run it
   * when they are back.
   */
  everywhere<T extends object>(
    name: string,
    run: Command<T>['run'],
    { isRemembered = false } = {},
  ): (message: T) => Promise<void> {
    this.commands.set(name, { run, isRemembered } as Command<unknown>);
    return async (message) => {
      const here = this.run(name, message);
      await Promise.all([here, this.tellOthers(name, message)]);
    };
  }

  async close(): Promise<void> {
    await this.stream?.close();
  }

  private async run(name: string, message: unknown): Promise<void> {
    await this.commands.get(name)?.run(message);
  }

  private async recall(stream: ReplicaStream): Promise<void> {
    for (const [name, { run, isRemembered }] of this.commands) {
      const messages = isRemembered ? await stream.remembered(name) : [];
      for (const message of messages) {
        await run(message);
      }
    }
  }

  private async tellOthers(name: string, message: object): Promise<void> {
    const { server, stream } = this;
    if (!server || !stream) {
      return;
    }
    const isRemembered = this.commands.get(name)?.isRemembered;
    const told = Promise.all([
      isRemembered && stream.remember(name, message),
      new Promise<void>((resolve, reject) => {
        server.serverSideEmit(EVENT, name, message, (error: unknown) =>
          error ? reject(error) : resolve(),
        );
      }),
      // Replicas that do not answer at the moment read it before this entry.
      stream.append({}),
    ]);
    try {
      const late = () => new Error('Redis does not answer');
      await withTimeLimit(ANSWER_MS, told, late);
    } catch (error) {
      throw new Error(`Not every replica has answered: ${String(error)}`);
    }
  }
}
