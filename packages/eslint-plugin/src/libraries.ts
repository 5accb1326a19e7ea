import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context } from './ast.js';
import { importsOf } from './imports.js';
import { projectOf } from './project.js';

const sourcesOf = (context: Context): string[] =>
  [...importsOf(context).values()].map(({ source }) => source);

/** Nest's other adapter: the import of `ws` is enough to know, the rest of the program where the file says nothing. */
export function isPlainWebsocket(context: Context): boolean {
  const sources = sourcesOf(context);
  if (sources.some((source) => /^socket\.io/.test(source))) return false;
  if (sources.some((source) => /^(?:ws|@nestjs\/platform-ws)$/.test(source))) return true;
  return projectOf(context)?.facts.usesWs ?? false;
}

/** A function `useXxx` of Node or Vue is no hook: React is imported, or the file is JSX and not of somebody else. */
export function isReact(context: Context): boolean {
  const sources = sourcesOf(context);
  if (sources.some((source) => /^(?:react|preact|react-native)(?:$|\/)/.test(source))) return true;
  return (
    /\.[jt]sx$/.test(context.filename) &&
    !sources.some((source) => /^(?:vue|solid-js|svelte|@builder\.io\/qwik)(?:$|\/)/.test(source))
  );
}

const manifests = new Map<string, number | null>();

/** The major that a package's range in the nearest manifest begins with; nothing where none names the package. */
export function majorOf(context: Context, name: string): number | undefined {
  let folder = dirname(context.filename);
  for (;;) {
    const key = `${folder}\0${name}`;
    let major = manifests.get(key);
    if (major === undefined) {
      major = readMajor(join(folder, 'package.json'), name);
      manifests.set(key, major);
    }
    if (major !== null) return major;
    const parent = dirname(folder);
    if (parent === folder || folder === context.cwd) return undefined;
    folder = parent;
  }
}

function readMajor(path: string, name: string): number | null {
  if (!existsSync(path)) return null;
  try {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(path, 'utf8')) as {
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    const [, major] = /(\d+)/.exec(dependencies[name] ?? devDependencies[name] ?? '') ?? [];
    return major === undefined ? null : Number(major);
  } catch {
    return null;
  }
}
