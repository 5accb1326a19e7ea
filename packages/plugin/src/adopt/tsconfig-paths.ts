import { parseJson } from '@nx/devkit';

interface TsConfig {
  readonly compilerOptions?: {
    readonly baseUrl?: string;
    readonly paths?: Readonly<Record<string, readonly string[]>>;
  };
}

/** The paths of files, from the workspace's root, that an import by an alias may mean. */
export function parseTsConfigPaths(text: string | null): (specifier: string) => string[] {
  let config: TsConfig = {};
  try {
    config = text === null ? {} : parseJson<TsConfig>(text);
  } catch {
    // A configuration that is wrong is for others to report.
  }
  const paths = Object.entries(config.compilerOptions?.paths ?? {});
  return (specifier) =>
    paths.flatMap(([alias, targets]) => {
      const [head = '', tail] = alias.split('*');
      const isMatch =
        tail === undefined
          ? specifier === alias
          : specifier.startsWith(head) && specifier.endsWith(tail);
      const rest =
        tail === undefined ? '' : specifier.slice(head.length, specifier.length - tail.length);
      return isMatch ? targets.map((target) => target.replace('*', rest).replace(/^\.\//, '')) : [];
    });
}
