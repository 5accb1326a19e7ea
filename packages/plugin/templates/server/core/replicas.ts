import { Injectable, Logger } from '@nestjs/common';
import type { LinkHealth } from './broker';
import type { RealtimeServer } from './session';

const EVENT = 'realtime.replicas';
/** The Redis adapter gives up after 5 s, but says nothing without Redis. */
const ANSWER_MS = 6_000;

type Command<T> = (message: T) => void | Promise<void>;

/** Does something on every replica of this app. */
@Injectable()
export class Replicas {
  private readonly logger = new Logger(Replicas.name);
  private readonly commands = new Map<string, Command<unknown>>();
  private server: RealtimeServer | undefined;
  /** Of the link to the other replicas. */
  health: () => LinkHealth = () => ({ ok: true, detail: 'one replica' });

  /** Call where there are others, linked by Redis. */
  link(server: RealtimeServer, health: () => LinkHealth): void {
    this.server = server;
    this.health = health;
    server.on(EVENT, (name: string, message: unknown, done: () => void) => {
      this.run(name, message).then(done, (error) => this.logger.error(error));
    });
  }

  /**
   * Makes of `run` what runs here at once and on every other replica. Rejects
   * when one has not answered: this one and those that did have run it.
   */
  everywhere<T extends object>(
    name: string,
    run: Command<T>,
  ): (message: T) => Promise<void> {
    this.commands.set(name, run as Command<unknown>);
    return async (message) => {
      const here = this.run(name, message);
      await Promise.all([here, this.tellOthers(name, message)]);
    };
  }

  private async run(name: string, message: unknown): Promise<void> {
    await this.commands.get(name)?.(message);
  }

  private async tellOthers(name: string, message: object): Promise<void> {
    const { server } = this;
    if (!server) {
      return;
    }
    const failure = await new Promise<unknown>((resolve) => {
      const timer = setTimeout(
        () => resolve('Redis does not answer'),
        ANSWER_MS,
      );
      server.serverSideEmit(EVENT, name, message, (error: unknown) => {
        clearTimeout(timer);
        resolve(error);
      });
    });
    if (failure) {
      throw new Error(`Not every replica has answered: ${String(failure)}`);
    }
  }
}
