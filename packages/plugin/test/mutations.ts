/** One protection taken out of the emitted code: a test must go red for it. */
export interface Mutation {
  /** In kebab-case; also the folder that the mutant is rendered into. */
  readonly name: string;
  /** Path below the emitted `realtime` folder. */
  readonly file: string;
  /** Rendered text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Of the files in test/kernel, the one that must go red. */
  readonly test: string;
}

/** What renderHost does to the rendered files of a mutant. */
export function mutate(mutation: Mutation): (path: string, content: string) => string {
  const { file, find, replace } = mutation;
  return (path, content) =>
    path.endsWith(`/realtime/${file}`) ? content.split(find).join(replace) : content;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'no-authentication',
    file: 'core/realtime.adapter.ts',
    find: `        .authenticate(socket)`,
    replace: `        .authenticate(socket).catch(() => undefined)`,
    test: 'handshake.test.ts',
  },
];
