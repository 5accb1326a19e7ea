import { parseTree } from 'jsonc-parser';
import type { Node } from 'jsonc-parser';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { RealtimeError, withoutBom } from '../domain/index.js';
import { packageFolder } from '../render/index.js';
import type { Ownership } from '../render/index.js';
import { normalizeLines } from './lines.js';
import { isOlder } from './version.js';

/** Folder of everything that is kept about generated files. */
export const STATE_FOLDER = '.nx-realtime';
export const MANIFEST_PATH = `${STATE_FOLDER}/manifest.json`;

/** Record of one generated file. */
export interface Entry {
  readonly owner: Ownership;
  /** Hash of the base; several after git kept both sides of a merge; none where there is no base. */
  readonly hashes: readonly string[];
  /** The owner does not want this file. */
  readonly deleted: boolean;
}

export interface Manifest {
  /** The version of the plugin that wrote last. */
  readonly plugin: string;
  readonly files: ReadonlyMap<string, Entry>;
}

export function basePath(path: string): string {
  return `${STATE_FOLDER}/base/${path}.base`;
}

/** sha256 of the text with `\n` line ends, so that a checkout with others gives the same. */
export function hashOf(text: string): string {
  return createHash('sha256').update(normalizeLines(text)).digest('hex');
}

/**
 * Reads the manifest. Both sides of a git merge may be in it, with markers or with lines twice:
 * then a file has several hashes, any of which is its base's.
 *
 * @throws RealtimeError RT021 when it is not a manifest
 */
export function parseManifest(text: string | null): Manifest {
  if (text === null) return { plugin: '', files: new Map() };
  if (parsed?.text !== text) parsed = { text, manifest: readManifest(text) };
  return parsed.manifest;
}

/** The last one: a run reads the same text several times. */
let parsed: { readonly text: string; readonly manifest: Manifest } | undefined;

function readManifest(text: string): Manifest {
  const json = withoutBom(text).replace(/^(?:<{7}|={7}|>{7}|\|{7}).*$/gm, '');
  const root = parseTree(json, [], { allowTrailingComma: true });
  const listed = member(root, 'files');
  if (root?.type !== 'object' || listed?.type !== 'object') {
    throw new RealtimeError(
      'RT021',
      `${MANIFEST_PATH} is not a JSON object with "files". Restore it from git.`,
    );
  }
  const files = new Map<string, Entry>();
  for (const { children: [key, value] = [] } of listed.children ?? []) {
    if (typeof key?.value !== 'string' || value?.type !== 'object') continue;
    if (!isInside(key.value)) {
      throw new RealtimeError(
        'RT021',
        `${MANIFEST_PATH} names a path outside of the workspace: ${JSON.stringify(key.value)}. Restore it from git.`,
      );
    }
    const hash: unknown = member(value, 'base')?.value;
    const hashes = files.get(key.value)?.hashes ?? [];
    files.set(key.value, {
      owner: member(value, 'owner')?.value === 'yours' ? 'yours' : 'merged',
      hashes: typeof hash === 'string' ? [...new Set([...hashes, hash])] : hashes,
      deleted: member(value, 'deleted')?.value === true,
    });
  }
  // Both sides of a merge by git name theirs.
  const plugins = (root.children ?? []).flatMap(({ children: [key, value] = [] }) =>
    key?.value === 'plugin' ? [String(value?.value)] : [],
  );
  const plugin = plugins.reduce((one, other) => (isOlder(other, one) ? one : other), '');
  return { plugin, files };
}

/** True for a path that is written as generated files' are, from the workspace's root. */
function isInside(path: string): boolean {
  return path === posix.normalize(path) && !/^(?:\.\.?$|\.\.\/|\/)|[\\:\0]/.test(path);
}

/** One line a file, sorted, so that git merges the changes of two branches. */
export function printManifest({ plugin, files }: Manifest): string {
  const lines = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, entry]) => printEntry(entry).map((text) => `${JSON.stringify(path)}: ${text}`))
    .map((line) => `    ${line}`);
  const listed = lines.length > 0 ? `{\n${lines.join(',\n')}\n  }` : '{}';
  return `{\n  "plugin": ${JSON.stringify(plugin)},\n  "files": ${listed}\n}\n`;
}

/** One line for each hash, so that none is lost before it is known which is the base's. */
function printEntry({ owner, hashes, deleted }: Entry): string[] {
  return (hashes.length > 0 ? hashes : [undefined]).map((base) => {
    const members = { owner, ...(base && { base }), ...(deleted && { deleted }) };
    const printed = Object.entries(members).map(
      ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
    );
    return `{ ${printed.join(', ')} }`;
  });
}

let version: string | undefined;

/** The version of this plugin. */
export function pluginVersion(): string {
  version ??= (
    JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf-8')) as { version: string }
  ).version;
  return version;
}

function member(node: Node | undefined, name: string): Node | undefined {
  return node?.children?.find((property) => property.children?.[0]?.value === name)?.children?.[1];
}
