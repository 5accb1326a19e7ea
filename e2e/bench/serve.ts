/** Commands of a worker: their arguments and answers by name. */
export type CommandMap<T> = { [K in keyof T]: { in: unknown; out: unknown } };

interface Request {
  readonly id: number;
  readonly name: string;
  readonly args: never;
}

/** Answers the commands that arrive over IPC, and ends with the process that sends them. */
export function serve<Commands extends CommandMap<Commands>>(commands: {
  readonly [C in keyof Commands]: (args: Commands[C]['in']) => Promise<Commands[C]['out']>;
}): void {
  process.on('message', ({ id, name, args }: Request) => {
    const run = commands[name as keyof Commands] as (args: never) => Promise<unknown>;
    run(args).then(
      (result) => process.send?.({ id, result }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}
