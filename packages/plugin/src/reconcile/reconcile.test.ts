import type { Tree } from '@nx/devkit';
import { FsTree } from 'nx/src/generators/tree';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RenderedFile } from '../render/index.js';
import { MANIFEST_PATH, basePath, parseManifest, reconcile } from './index.js';
import type { Outcome, ReconcileOptions } from './index.js';

const PATH = 'apps/api/src/realtime/orders/orders.service.ts';
const STORE = 'apps/web/src/stores/auth.store.ts';
const V1 = "export const one = 1;\nexport const two = 'a';\nexport const three = 3;\n";
const V2 =
  "export const one = 1;\nexport const two = 'b';\nexport const three = 3;\nexport const four = 4;\n";

let root: string;
let tree: Tree;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'reconcile-'));
  tree = new FsTree(root, false);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const merged = (content: string, path = PATH): RenderedFile => ({ path, content, owner: 'merged' });
const yours = (content: string, path = STORE): RenderedFile => ({ path, content, owner: 'yours' });

async function run(
  files: readonly RenderedFile[],
  options: ReconcileOptions = {},
): Promise<Record<string, Outcome>> {
  const report = await reconcile(tree, files, options);
  return Object.fromEntries(report.map(({ path, outcome }) => [path, outcome]));
}

const outcome = async (
  content: string,
  options: ReconcileOptions = {},
): Promise<Outcome | undefined> => (await run([merged(content)], options))[PATH];

const read = (path = PATH): string | null => tree.read(path, 'utf-8');

/** The whole Tree and each write to it while `action` runs. */
async function writes(action: () => Promise<unknown>): Promise<string[]> {
  const written: string[] = [];
  const { write, delete: remove } = tree;
  tree.write = (path: string, ...rest: [Buffer | string]) => {
    written.push(path);
    write.call(tree, path, ...rest);
  };
  tree.delete = (path: string) => {
    written.push(path);
    remove.call(tree, path);
  };
  await action();
  Object.assign(tree, { write, delete: remove });
  return written;
}

describe('reconcile', () => {
  it("goes on with a file that the manifest was made to call its owner's", async () => {
    await outcome(V1);
    const manifest = read(MANIFEST_PATH) ?? '';
    tree.write(MANIFEST_PATH, manifest.replace('"merged"', '"yours"'));
    expect(await outcome(V1)).toBe('unchanged');
    expect(read(MANIFEST_PATH)).toBe(manifest);
    tree.write(MANIFEST_PATH, manifest.replace('"merged"', '"yours"'));
    expect(await outcome(V2)).toBe('updated');
    expect(read()).toBe(V2);
  });

  it('reads a manifest with a byte order mark', async () => {
    await outcome(V1);
    tree.write(MANIFEST_PATH, `\uFEFF${read(MANIFEST_PATH)}`);
    expect(await outcome(V1)).toBe('unchanged');
  });

  it('creates a file, with its base and its line in the manifest', async () => {
    expect(await outcome(V1)).toBe('created');
    expect(read()).toBe(V1);
    expect(read(basePath(PATH))).toBe(V1);
    expect(read(MANIFEST_PATH)).toMatch(
      /^\{\n {2}"plugin": "\d+\.\d+\.\d+",\n {2}"files": \{\n {4}"apps\/.+": \{ "owner": "merged", "base": "[0-9a-f]{64}" \}\n {2}\}\n\}\n$/,
    );
    expect(JSON.parse(read(MANIFEST_PATH) ?? '')).toBeTypeOf('object');
  });

  it('replaces what nobody has edited', async () => {
    await outcome(V1);
    expect(await outcome(V2)).toBe('updated');
    expect(read()).toBe(V2);
    expect(read(basePath(PATH))).toBe(V2);
  });

  it('leaves an edit alone when nothing is new', async () => {
    await outcome(V1);
    tree.write(PATH, `// mine\n${V1}`);
    expect(await outcome(V1)).toBe('unchanged');
    expect(read()).toBe(`// mine\n${V1}`);
  });

  it('merges an edit with what is new, and advances the base', async () => {
    await outcome(V1);
    tree.write(PATH, `// mine\n${V1}`);
    expect(await outcome(V2)).toBe('merged');
    expect(read()).toBe(`// mine\n${V2}`);
    expect(read(basePath(PATH))).toBe(V2);
  });

  it('marks a conflict once, keeps both sides and does not touch it again', async () => {
    await outcome(V1);
    tree.write(PATH, V1.replace("'a'", "'mine'"));
    const [report] = await reconcile(tree, [merged(V2)], {});
    expect(report).toMatchObject({ outcome: 'conflict', conflicts: 1, written: true });
    const conflicted = read();
    expect(conflicted).toContain(
      "<<<<<<< yours\nexport const two = 'mine';\n=======\nexport const two = 'b';\n>>>>>>> nx-realtime\n",
    );
    expect(read(basePath(PATH))).toBe(V2);
    const [again] = await reconcile(tree, [merged(`${V2}export const five = 5;\n`)], {});
    expect(again).toMatchObject({ outcome: 'conflict', conflicts: 0, written: false });
    expect(read()).toBe(conflicted);
  });

  it('takes up a resolved conflict where it was left', async () => {
    await outcome(V1);
    tree.write(PATH, V1.replace("'a'", "'mine'"));
    await outcome(V2);
    const resolved = V2.replace("'b'", "'mine'");
    tree.write(PATH, resolved);
    expect(await outcome(V2)).toBe('unchanged');
    const V3 = `${V2}export const five = 5;\n`;
    expect(await outcome(V3)).toBe('merged');
    expect(read()).toBe(V3.replace("'b'", "'mine'"));
  });

  it('keeps the line ends and the missing last newline of an edited file', async () => {
    await outcome(V1);
    const style = (text: string): string => text.replaceAll('\n', '\r\n').replace(/\r\n$/, '');
    tree.write(PATH, style(V1));
    expect(await outcome(V2)).toBe('updated');
    expect(read()).toBe(style(V2));
  });

  it('is not disturbed by a checkout that changes line ends of the base', async () => {
    await outcome(V1);
    tree.write(basePath(PATH), V1.replaceAll('\n', '\r\n'));
    tree.write(MANIFEST_PATH, (read(MANIFEST_PATH) ?? '').replaceAll('\n', '\r\n'));
    expect(await writes(() => outcome(V1))).toEqual([]);
    expect(await outcome(V2)).toBe('updated');
  });

  it('does not create again what the owner deleted, unless asked', async () => {
    await outcome(V1);
    tree.delete(PATH);
    expect(await outcome(V2)).toBe('deleted-by-owner');
    expect(await outcome(V2)).toBe('deleted-by-owner');
    expect(tree.exists(PATH)).toBe(false);
    expect(await outcome(V2, { restore: true })).toBe('restored');
    expect(read()).toBe(V2);
    expect(await outcome(V2)).toBe('unchanged');
  });

  it('records a deletion, and mentions it no more', async () => {
    await outcome(V1);
    tree.delete(PATH);
    expect(await outcome(V1, { forget: [`./${PATH}`] })).toBe('forgotten');
    expect(tree.exists(basePath(PATH))).toBe(false);
    expect(read(MANIFEST_PATH)).toContain('{ "owner": "merged", "deleted": true }');
    expect(await writes(() => outcome(V2))).toEqual([]);
    expect(await outcome(V2)).toBe('forgotten');
    expect(await outcome(V2, { restore: true })).toBe('restored');
  });

  it('leaves a forgotten file alone that its owner wrote anew', async () => {
    await outcome(V1, { forget: [PATH] });
    tree.write(PATH, 'mine\n');
    expect(await outcome(V1)).toBe('forgotten');
    expect(read()).toBe('mine\n');
  });

  it('refuses to forget what is there, and what no domain generates', async () => {
    await outcome(V1);
    await expect(outcome(V1, { forget: [PATH] })).rejects.toThrow(/^RT023 .*Delete it first/);
    await expect(outcome(V1, { forget: ['apps/other.ts'] })).rejects.toThrow(
      /^RT023 .*apps\/other/,
    );
  });

  it('names every file in the way at once, and writes nothing', async () => {
    tree.write('b.ts', 'mine\n');
    tree.write('c.ts', 'mine too\n');
    const files = [merged(V1, 'a.ts'), merged(V1, 'b.ts'), merged(V1, 'c.ts')];
    const written = await writes(() =>
      expect(reconcile(tree, files, {})).rejects.toMatchObject({
        code: 'RT020',
        message: expect.stringMatching(/2 files .*\n {2}b\.ts\n {2}c\.ts\n.*--adopt/s),
      }),
    );
    expect(written).toEqual([]);
  });

  it('adopts a file as edited by its owner, with an empty base', async () => {
    tree.write(PATH, V1.replace("'a'", "'mine'"));
    expect(await outcome(V1, { adopt: true })).toBe('conflict');
    expect(read()).toBe(
      "export const one = 1;\n<<<<<<< yours\nexport const two = 'mine';\n=======\nexport const two = 'a';\n>>>>>>> nx-realtime\nexport const three = 3;\n",
    );
    expect(read(basePath(PATH))).toBe(V1);
    tree.write(PATH, V1.replace("'a'", "'mine'"));
    expect(await outcome(V1)).toBe('unchanged');
  });

  it('takes over silently what another branch generated alike', async () => {
    tree.write(PATH, V1);
    expect(await outcome(V1)).toBe('unchanged');
    expect(await outcome(V2)).toBe('updated');
  });

  it('writes a file of the owner once, and never again', async () => {
    expect(await run([yours('v1\n')])).toEqual({ [STORE]: 'created' });
    expect(tree.exists(basePath(STORE))).toBe(false);
    expect(await run([yours('v2\n')])).toEqual({ [STORE]: 'kept' });
    expect(read(STORE)).toBe('v1\n');
    tree.delete(STORE);
    expect(await run([yours('v2\n')])).toEqual({ [STORE]: 'deleted-by-owner' });
    expect(await run([yours('v2\n')], { restore: true })).toEqual({ [STORE]: 'restored' });
  });

  it("neither refuses nor records the owner's file that was there before", async () => {
    tree.write(STORE, 'mine\n');
    expect(await run([yours('v1\n')])).toEqual({ [STORE]: 'kept' });
    expect(read(STORE)).toBe('mine\n');
    expect(tree.exists(MANIFEST_PATH)).toBe(false);
  });

  it("lets a file be the owner's for good when a template gives it away", async () => {
    await outcome(V1);
    expect(await run([yours(V2, PATH)])).toEqual({ [PATH]: 'kept' });
    expect(read()).toBe(V1);
    expect(tree.exists(basePath(PATH))).toBe(false);
    expect(await outcome(V2)).toBe('kept');
    expect(read()).toBe(V1);
  });

  it.each<[string, () => void]>([
    ['changed', () => tree.write(basePath(PATH), `${V1}// merged by git\n`)],
    ['lost', () => tree.delete(basePath(PATH))],
    [
      'not in the manifest',
      () => tree.write(MANIFEST_PATH, '{ "plugin": "0.1.0", "files": {} }\n'),
    ],
  ])('reports a base that is %s, and leaves the file alone', async (_, damage) => {
    await outcome(V1);
    tree.write(PATH, `// mine\n${V1}`);
    damage();
    expect(await writes(async () => expect(await outcome(V2)).toBe('base-mismatch'))).toEqual([]);
    expect(read()).toBe(`// mine\n${V1}`);
  });

  it('reads a manifest that git merged with both sides in it, and settles it', async () => {
    await outcome(V1);
    const [, hash = ''] = /"base": "(\w+)"/.exec(read(MANIFEST_PATH) ?? '') ?? [];
    const entry = `    "${PATH}": { "owner": "merged", "base": "${hash}" }`;
    const other = entry.replace(hash, 'f'.repeat(64));
    tree.write(
      MANIFEST_PATH,
      `{\n  "plugin": "0.1.0",\n  "files": {\n<<<<<<< HEAD\n${other}\n=======\n${entry}\n>>>>>>> branch\n  }\n}\n`,
    );
    expect(await outcome(V1)).toBe('unchanged');
    expect(parseManifest(read(MANIFEST_PATH)).files.get(PATH)?.hashes).toEqual([hash]);
    expect(read(MANIFEST_PATH)).not.toContain('<<<<');
  });

  it('brings the events of two branches together, from the base of one of them', async () => {
    const one = V1.replace('export const three', 'export const one2 = 1;\nexport const three');
    const both = `${one}export const four = 4;\n`;
    const state = async (content: string): Promise<string> => {
      tree = new FsTree(root, false);
      await outcome(content);
      return /^ {4}.+$/m.exec(read(MANIFEST_PATH) ?? '')?.[0] ?? '';
    };
    const theirs = await state(one);
    const ours = await state(`${V1}export const four = 4;\n`);
    tree.write(
      MANIFEST_PATH,
      `{\n  "plugin": "0.1.0",\n  "files": {\n${theirs}\n${ours}\n  }\n}\n`,
    );
    expect(await outcome(both)).toBe('updated');
    expect(read()).toBe(both);
    expect(await writes(() => outcome(both))).toEqual([]);
  });

  it('stops at a manifest that is not one', async () => {
    tree.write(MANIFEST_PATH, 'nothing');
    await expect(outcome(V1)).rejects.toThrow(/^RT021 /);
  });

  it('removes what no domain generates any more, unless it was edited', async () => {
    await run([merged(V1, 'a.ts'), merged(V1, 'b.ts'), merged(V1, 'c.ts')]);
    tree.write('b.ts', 'mine\n');
    const report = await reconcile(tree, [merged(V1, 'c.ts')], {});
    expect(report).toMatchObject([
      { path: 'a.ts', outcome: 'removed', written: true },
      { path: 'b.ts', outcome: 'orphan', written: false },
      { path: 'c.ts', outcome: 'unchanged' },
    ]);
    expect([tree.exists('a.ts'), tree.exists(basePath('a.ts'))]).toEqual([false, false]);
    expect(read('b.ts')).toBe('mine\n');
    expect([...parseManifest(read(MANIFEST_PATH)).files.keys()]).toEqual(['b.ts', 'c.ts']);
    expect(await writes(() => run([merged(V1, 'c.ts')]))).toEqual([]);
  });

  it('removes what was edited only by force, and forgets what its owner removed', async () => {
    await run([merged(V1, 'a.ts'), merged(V1, 'b.ts'), merged(V1, 'c.ts')]);
    tree.write('a.ts', 'mine\n');
    tree.delete('b.ts');
    expect(await run([merged(V1, 'c.ts')])).toEqual({ 'a.ts': 'orphan', 'c.ts': 'unchanged' });
    expect(tree.exists(basePath('b.ts'))).toBe(false);
    expect(await run([merged(V1, 'c.ts')], { force: true })).toMatchObject({ 'a.ts': 'removed' });
    expect(await run([])).toEqual({ 'c.ts': 'removed' });
    expect(tree.exists(MANIFEST_PATH)).toBe(false);
  });

  it('keeps what it cannot tell from an edited file, for want of its base', async () => {
    await run([merged(V1, 'a.ts'), merged(V1, 'c.ts')]);
    tree.write(basePath('a.ts'), `${V1}// merged by git\n`);
    expect(await run([merged(V1, 'c.ts')])).toMatchObject({ 'a.ts': 'orphan' });
    expect(read('a.ts')).toBe(V1);
  });

  it('keeps one line a file, sorted, in the manifest', async () => {
    await run([merged(V1, 'b.ts'), merged(V1, 'a.ts'), yours('x\n', 'B.ts')]);
    const lines = (read(MANIFEST_PATH) ?? '')
      .split('\n')
      .filter((line) => line.includes('"owner"'));
    expect(lines.map((line) => line.trim().split(':')[0])).toEqual(['"B.ts"', '"a.ts"', '"b.ts"']);
  });

  it('moves the version of the manifest only with a file', async () => {
    await outcome(V1);
    tree.write(
      MANIFEST_PATH,
      (read(MANIFEST_PATH) ?? '').replace(/"plugin": "[^"]+"/, '"plugin": "0.0.1"'),
    );
    expect(await writes(() => outcome(V1))).toEqual([]);
    await outcome(V2);
    expect(read(MANIFEST_PATH)).not.toContain('"0.0.1"');
  });

  it.each<[string, (text: string) => string]>([
    ['untouched', (text) => text],
    ['edited', (text) => `// mine\n${text}`],
    ['in conflict', (text) => text.replace("'a'", "'mine'")],
    ['without a last newline', (text) => text.trimEnd()],
    ['emptied', () => ''],
  ])('writes nothing the second time: a file that is %s', async (_, change) => {
    await outcome(V1);
    tree.write(PATH, change(V1));
    await outcome(V2);
    const after = read();
    expect(await writes(() => outcome(V2))).toEqual([]);
    expect(read()).toBe(after);
  });
});

describe("reconcile with the host's Prettier", () => {
  /** Rendered: one line, double quotes; as the host likes it: single quotes, 40 columns. */
  const RAW1 = 'export const names = ["first", "second", "third"];\nexport const size = 1;\n';
  const RAW2 = 'export const names = ["first", "second", "third"];\nexport const size = 2;\n';
  const NICE1 =
    "export const names = [\n  'first',\n  'second',\n  'third',\n];\nexport const size = 1;\n";
  const NICE2 = NICE1.replace('= 1', '= 2');

  beforeEach(() => {
    mkdirSync(join(root, 'node_modules'));
    const prettier = dirname(createRequire(__filename).resolve('prettier/package.json'));
    symlinkSync(prettier, join(root, 'node_modules/prettier'));
    writeFileSync(join(root, '.prettierrc'), '{ "singleQuote": true, "printWidth": 40 }');
    writeFileSync(join(root, '.prettierignore'), 'ignored\n');
  });

  it('writes formatted files, and an unformatted base', async () => {
    await outcome(RAW1);
    expect(read()).toBe(NICE1);
    expect(read(basePath(PATH))).toBe(RAW1);
    expect(await writes(() => outcome(RAW1))).toEqual([]);
    expect(await outcome(RAW2)).toBe('updated');
    expect(read()).toBe(NICE2);
  });

  it('merges with edits of the formatted file', async () => {
    await outcome(RAW1);
    tree.write(PATH, NICE1.replace("  'third',\n", "  'third',\n  'mine',\n"));
    expect(await outcome(RAW2)).toBe('merged');
    expect(read()).toBe(NICE2.replace("  'third',\n", "  'third',\n  'mine',\n"));
  });

  it('merges with edits of a file that was written unformatted', async () => {
    await outcome(RAW1, { skipFormat: true });
    expect(read()).toBe(RAW1);
    tree.write(PATH, `// mine\n${RAW1}`);
    expect(await outcome(RAW2)).toBe('merged');
    expect(read()).toBe(`// mine\n${RAW2}`);
  });

  it('knows an unedited file in another formatting', async () => {
    tree.write(PATH, RAW1);
    await outcome(RAW1);
    tree.write(PATH, 'export const names = ["first","second","third"]\nexport const size=1\n');
    expect(await outcome(RAW2)).toBe('updated');
    expect(read()).toBe(NICE2);
  });

  it('takes over a formatted file that another branch generated', async () => {
    tree.write(PATH, NICE1);
    expect(await outcome(RAW1)).toBe('unchanged');
    expect(read()).toBe(NICE1);
  });

  it('leaves files unformatted that the host ignores or that do not parse', async () => {
    await run([merged(RAW1, 'ignored/a.ts'), merged('export const = "x"\n', 'broken.ts')]);
    expect(read('ignored/a.ts')).toBe(RAW1);
    expect(read('broken.ts')).toBe('export const = "x"\n');
    await run([merged(RAW2, 'ignored/a.ts'), merged('export const y = "x"\n', 'broken.ts')]);
    expect(read('ignored/a.ts')).toBe(RAW2);
    expect(read('broken.ts')).toBe('export const y = "x"\n');
  });

  it('formats with options that were written in the same run', async () => {
    tree.write('.prettierrc', '{ "semi": false }');
    await outcome('export const a = 1;\n');
    expect(read()).toBe('export const a = 1\n');
  });

  it('resolves a conflict only as far as formatting makes one', async () => {
    await outcome(RAW1);
    tree.write(PATH, NICE1.replace('= 1', '= 7'));
    expect(await outcome(RAW2)).toBe('conflict');
    expect(read()).toBe(
      NICE1.replace(
        'export const size = 1;\n',
        '<<<<<<< yours\nexport const size = 7;\n=======\nexport const size = 2;\n>>>>>>> nx-realtime\n',
      ),
    );
  });
});
