import type { Plugin } from 'vite';

/** Sources of the packages as the mutation check alters them, in memory: what it names in MUTATION. */
export const mutant = (): Plugin => ({
  name: 'mutant',
  enforce: 'pre',
  transform: (code, id) => {
    const text = mutated(id, code);
    return text === code ? null : text;
  },
});

/** The text of one of them as the mutation check alters it. */
export function mutated(path: string, code: string): string {
  const { file, find, replace } = JSON.parse(process.env['MUTATION'] ?? '{}');
  const isSource = /^(?:src|packages)\//.test(file ?? '');
  return isSource && path.endsWith(`/${file}`) ? code.replace(find, () => replace) : code;
}

/** Resolves what tests, the emitted code and its libraries import as another project would. */
export const from = (project: string, pattern: RegExp): Plugin => ({
  name: `from ${project}`,
  enforce: 'pre',
  resolveId(source) {
    return pattern.test(source) ? this.resolve(source, project, { skipSelf: true }) : null;
  },
});
