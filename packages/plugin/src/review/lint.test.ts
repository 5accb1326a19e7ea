import type { ParserServicesWithTypeInformation } from '@typescript-eslint/utils';
import type { Linter, Rule } from 'eslint';
import { rmSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { FsTree } from 'nx/src/generators/tree';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { projectInto, reviewRoot, tools, writeInto } from '../../test/support/review-root.js';
import { reviewWorkspace } from './index.js';
import { lint } from './lint.js';
import type { Tools } from './tools.js';

/** Without the types of libraries, which take most of the time. */
const tsconfig = (include: string): string =>
  JSON.stringify({
    compilerOptions: { noLib: true, noResolve: true, types: [] },
    include: [include],
  });

let root: string;

vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => {
  root = reviewRoot();
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

/** Tools whose only rule replaces a text, where a condition holds. */
function replacing(
  changes: (text: string, program: (name: string) => string) => string | undefined,
): Tools {
  const rule: Rule.RuleModule = {
    meta: { fixable: 'code', schema: [] },
    create: (context) => ({
      'Program:exit'(node) {
        const { text, parserServices } = context.sourceCode;
        const { program } = parserServices as Partial<ParserServicesWithTypeInformation>;
        const other = (name: string): string =>
          program?.getSourceFiles().find(({ fileName }) => fileName.endsWith(`/${name}`))?.text ??
          '';
        const next = changes(text, other);
        if (next === undefined) return;
        context.report({
          node,
          message: 'replace',
          fix: (fixer) => fixer.replaceTextRange([0, text.length], next),
        });
      },
    }),
  };
  const strict: Linter.Config = {
    files: ['**/*.ts'],
    plugins: { 'nx-realtime': { rules: { replacing: rule } } },
    rules: { 'nx-realtime/replacing': 'error' },
  };
  return { ...tools, rules: { ruleInfo: [], configs: { strict } } };
}

/** Repairs files of one project, which are on the disk, in the order of their names here. */
function repaired(files: Record<string, string>, using: Tools): ReturnType<typeof lint> {
  writeInto(root, 'api/tsconfig.json', tsconfig('*.ts'));
  const sources = new Map(Object.entries(files).map(([name, text]) => [`api/${name}`, text]));
  for (const [path, text] of sources) writeInto(root, path, text);
  return lint(root, sources, using, true);
}

describe('a repair', () => {
  // With CI set, the parser would by itself take nothing for changed.
  it.each(['', 'true'])('repairs what it uncovers elsewhere, and what that does; CI: %j', (ci) => {
    vi.stubEnv('CI', ci);
    const chain = replacing((text, other) => {
      if (text.includes('third one') && other('b.ts').includes('second done'))
        return '// third done';
      if (text.includes('second one') && other('c.ts').includes('first done'))
        return '// second done';
      return text.includes('first one') ? '// first done' : undefined;
    });
    const files = { 'a.ts': '// third one', 'b.ts': '// second one', 'c.ts': '// first one' };
    const result = repaired(files, chain);
    expect(Object.fromEntries(result.repaired)).toEqual({
      'api/a.ts': '// third done',
      'api/b.ts': '// second done',
      'api/c.ts': '// first done',
    });
    expect(result.findings).toEqual([]);
    expect(result.untyped).toEqual([]);
  });

  it('reports what it uncovers and cannot repair, by the files as they are then', () => {
    const uncovering = replacing((text, other) =>
      text.includes('first one')
        ? '// first done'
        : text.includes('left') && other('b.ts').includes('first done')
          ? text
          : undefined,
    );
    const result = repaired({ 'a.ts': '// left', 'b.ts': '// first one' }, uncovering);
    expect([...result.repaired.keys()]).toEqual(['api/b.ts']);
    expect(result.findings.map(({ path, message }) => [path, message])).toEqual([
      ['api/a.ts', 'replace'],
    ]);
  });

  it('ends where repairs never do, and reports what is left', () => {
    const endless = replacing((text) => `${text}.`);
    const { repaired: changed, findings } = repaired({ 'a.ts': '// one' }, endless);
    expect(changed.get('api/a.ts')).toMatch(/^\/\/ one\.+$/);
    expect(findings).toHaveLength(1);
  });

  it('changes nothing where there is nothing to repair', () => {
    const none = repaired(
      { 'a.ts': '// one' },
      replacing(() => undefined),
    );
    expect(none.repaired.size).toBe(0);
  });
});

describe('what TypeScript holds of a project', () => {
  it.each([false, true])('is dropped before the next one is read; --fix: %s', (fix) => {
    const seen: string[] = [];
    const { parser } = tools as unknown as { parser: typeof import('@typescript-eslint/parser') };
    const counted = {
      ...parser,
      parseForESLint: (...[text, options]: Parameters<typeof parser.parseForESLint>) => {
        const path = relative(root, String(options?.filePath)).split(sep);
        seen.push(path[1] ?? '');
        return parser.parseForESLint(text, options);
      },
      clearCaches: () => {
        seen.push('dropped');
        parser.clearCaches();
      },
    } as unknown as Linter.Parser;
    for (const name of ['one', 'two', 'three']) {
      projectInto(root, `apps/${name}`);
      writeInto(root, `apps/${name}/tsconfig.json`, tsconfig('src'));
      for (const file of ['a', 'b']) {
        writeInto(root, `apps/${name}/src/${file}.ts`, `import { io } from 'socket.io-client';\n`);
      }
    }
    const result = reviewWorkspace(new FsTree(root, false), { fix }, () => ({
      ...tools,
      parser: counted,
    }));
    expect(result.untyped).toEqual([]);
    const turns = seen.filter((name, index) => name !== seen[index - 1]);
    expect(turns).toHaveLength(6);
    expect(turns.filter((_name, index) => index % 2 === 1)).toEqual(Array(3).fill('dropped'));
    expect(turns.filter((name) => name !== 'dropped').sort()).toEqual(['one', 'three', 'two']);
  });
});
