import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { configs, ruleInfo, rules } from '../src/index.js';
import type { RuleInfo } from '../src/index.js';

const PACKAGE = resolve(import.meta.dirname, '..');
const PAGES = join(PACKAGE, 'docs/rules');
const names = Object.keys(rules);

const page = (name: string): string => readFileSync(join(PAGES, `${name}.md`), 'utf8');
const marks = ({ isFixable, hasSuggestions, usesProject }: RuleInfo): string[] => [
  ...(isFixable ? ['fix'] : []),
  ...(hasSuggestions ? ['suggestion'] : []),
  ...(usesProject ? ['other files'] : []),
];

it('has one file and one page for each rule, and none for another', () => {
  const files = readdirSync(join(PACKAGE, 'src/rules')).filter((file) => file !== 'index.ts');
  expect(files.map((file) => file.replace(/\.ts$/, '')).sort()).toEqual([...names].sort());
  expect(readdirSync(PAGES).sort()).toEqual(names.map((name) => `${name}.md`).sort());
});

describe.each(ruleInfo.map((info) => [info.name, info] as const))('%s', (name, info) => {
  it('has a page that says what the rule says of itself', () => {
    const text = page(name);
    expect(text.startsWith(`# ${name}\n\n${info.description}.\n`)).toBe(true);
    for (const title of ['Wrong', 'Right', 'Why']) expect(text).toContain(`\n## ${title}\n`);
    const facts = [
      `Severity: ${info.severity}`,
      info.configs.map((config) => `\`${config}\``).join(' and '),
      ...(info.isFixable ? ['repaired by `--fix`'] : []),
      ...(info.hasSuggestions ? ['has a suggestion'] : []),
      ...(info.usesProject ? ['sees other files with type information'] : []),
      ...(info.cwe
        ? [`[CWE-${info.cwe}](https://cwe.mitre.org/data/definitions/${info.cwe}.html)`]
        : []),
    ];
    const flat = (value: string): string => value.replace(/\s+/g, ' ');
    expect(flat(text)).toContain(`${facts.join('. ')}.`);
    expect(flat(text)).toContain(flat(info.why));
    expect(flat(text)).toContain(flat(info.remedy));
    expect(text).toMatch(/\nSources: \[[^\]]+\]\(https:/);
  });

  it('documents its options, if it has any', () => {
    const { schema } = rules[name]?.meta ?? { schema: [] };
    const options = (schema as readonly { properties: object }[]).flatMap(({ properties }) =>
      Object.keys(properties),
    );
    expect(page(name).includes('\n## Options\n')).toBe(options.length > 0);
    for (const option of options) expect(page(name)).toContain(`\`${option}\``);
  });

  it('is on in the configs that it names', () => {
    const rule = `nx-realtime/${name}`;
    const isRecommended = info.configs.includes('recommended');
    const level = info.severity === 'high' ? 'error' : 'warn';
    expect(configs.recommended.rules?.[rule]).toBe(isRecommended ? level : undefined);
    expect(configs.strict.rules?.[rule]).toBe('error');
  });

  it('stands in the README as it is', () => {
    const row = readFileSync(join(PACKAGE, 'README.md'), 'utf8')
      .split('\n')
      .find((line) => line.includes(`(docs/rules/${name}.md)`));
    const cells = (row ?? '').split('|').map((cell) => cell.trim());
    expect(cells.slice(2, -1)).toEqual([
      info.description,
      info.severity,
      info.configs.join(', '),
      marks(info).join(', '),
    ]);
  });

  it('is a listener of nothing in a file without realtime code', () => {
    const code = `import { Injectable } from '@nestjs/common';
import { useEffect, useState } from 'react';
@Injectable() export class Service { find(query) { return this.repository.find(query); } }
export function Page({ onChange }) { useEffect(() => { onChange(); }, [onChange]); }`;
    let visited = 0;
    const rule = rules[name];
    const counted = {
      ...rule,
      create: (...args: Parameters<NonNullable<typeof rule>['create']>) => {
        const listener = rule?.create(...args) ?? {};
        visited += Object.keys(listener).length;
        return listener;
      },
    };
    const messages = new Linter().verify(
      code,
      [
        {
          files: ['**/*.tsx'],
          plugins: { one: { rules: { [name]: counted } } as never },
          rules: { [`one/${name}`]: 'error' },
          languageOptions: { parser: tseslint.parser as Linter.Parser },
        },
      ],
      'src/page.tsx',
    );
    expect(messages).toEqual([]);
    expect(visited).toBe(0);
  });
});

describe('the configuration of the README', () => {
  const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
  const [, pasted = ''] = /```js\n\/\/ eslint\.config\.mjs\n([^]*?)```/.exec(readme) ?? [];
  const config = new Function(
    'realtime',
    'tseslint',
    pasted.replace(/^import .*\n/gm, '').replace('export default', 'return'),
  )({ configs }, tseslint) as Linter.Config[];

  it.each([
    ['eslint.config.mjs', pasted],
    ['jest.config.js', 'export default {};'],
    ['scripts/build.cjs', 'console.log(1);'],
    ['src/page.jsx', 'export const Page = () => <p />;'],
    ['src/main.ts', 'export const port: number = 3000;'],
  ])('reads %s', async (name, text) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nx-realtime-pasted-')));
    try {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      writeFileSync(join(folder, 'tsconfig.json'), '{ "include": ["src/**/*.ts"] }');
      const eslint = new ESLint({ cwd: folder, overrideConfigFile: true, overrideConfig: config });
      const [result] = await eslint.lintFiles([path]);
      expect(result?.messages.filter(({ fatal }) => fatal)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

it('has an address for each page that is packed', () => {
  const { files } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
    files: string[];
  };
  expect(files).toContain('docs');
  for (const { url } of ruleInfo) {
    const [, path] = /@\d[^/]*\/(docs\/rules\/[\w-]+\.md)$/.exec(url) ?? [];
    expect(existsSync(join(PACKAGE, path ?? 'none'))).toBe(true);
  }
});
