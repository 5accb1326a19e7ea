import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { REPO } from '../support/repo';
import { pin } from './machine';
import type { CommandMap } from './serve';

/** The longest command, opening 5,000 connections on a busy machine, takes a fraction of it. */
const ANSWER_TIMEOUT_MS = 180_000;

/** A process of the bench that takes commands over IPC. */
export class Worker<Commands extends CommandMap<Commands>> {
  private next = 0;
  private readonly waiting = new Map<
    number,
    { resolve: (result: never) => void; reject: (error: Error) => void }
  >();

  private constructor(private readonly child: ChildProcess) {
    child.on('message', ({ id, result, error }: { id: number; result: never; error?: string }) => {
      const waiter = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) waiter?.resolve(result);
      else waiter?.reject(new Error(error));
    });
    child.on('exit', (code) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`ended with ${code}`));
    });
  }

  /** @param file in e2e/bench, without `.ts` */
  static start<C extends CommandMap<C>>(file: string): Worker<C> {
    const child = fork(join(REPO, 'e2e/bench', `${file}.ts`), [], {
      execArgv: ['--import', 'tsx'],
      cwd: REPO,
    });
    pin(child.pid as number, 'load');
    return new Worker<C>(child);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  ask<K extends keyof Commands & string>(
    name: K,
    args: Commands[K]['in'],
  ): Promise<Commands[K]['out']> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error(`${name}: no answer after ${ANSWER_TIMEOUT_MS / 1_000} s`));
      }, ANSWER_TIMEOUT_MS);
      const settled = <T>(settle: (value: T) => void): ((value: T) => void) => {
        return (value) => {
          clearTimeout(timer);
          settle(value);
        };
      };
      this.waiting.set(id, {
        resolve: settled(resolve as (result: never) => void),
        reject: settled(reject),
      });
      this.child.send({ id, name, args });
    });
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}
