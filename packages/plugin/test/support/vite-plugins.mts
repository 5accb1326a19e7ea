import type { Plugin } from 'vite';

/** Sources of the packages as the mutation check alters them, in memory: what it names in MUTATION. */
export const mutant = (): Plugin | null => {
  const { file, find, replace } = JSON.parse(process.env['MUTATION'] ?? '{}');
  if (!/^(?:src|packages)\//.test(file ?? '')) return null;
  return {
    name: 'mutant',
    enforce: 'pre',
    transform: (code, id) => (id.endsWith(`/${file}`) ? code.replace(find, () => replace) : null),
  };
};

/** Resolves what tests, the emitted code and its libraries import as another project would. */
export const from = (project: string, pattern: RegExp): Plugin => ({
  name: `from ${project}`,
  enforce: 'pre',
  resolveId(source) {
    return pattern.test(source) ? this.resolve(source, project, { skipSelf: true }) : null;
  },
});
