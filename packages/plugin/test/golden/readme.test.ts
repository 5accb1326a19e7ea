import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { expect, it } from 'vitest';
import realtimeDomainGenerator from '../../src/generators/realtime-domain/generator.js';
import { hostTree, snapshot } from '../support/host-tree.js';
import { SHAPES, renderShape } from '../support/shapes.js';

const README = join(import.meta.dirname, '../../README.md');
const SCHEMA = join(import.meta.dirname, '../../src/generators/realtime-domain/schema.json');

/** The most that one pull request may gain, in files and in lines, specs included. */
const BUDGET = {
  'first domain': { files: 20, lines: 750 },
  'each further domain': { files: 13, lines: 520 },
  'each publisher': { files: 4, lines: 150 },
  'examples, shared': { files: 4, lines: 760 },
  'examples, a domain': { files: 2, lines: 60 },
};

interface Property {
  readonly type: string;
  readonly description: string;
  readonly enum?: readonly string[];
}

it('states every flag as the schema has it', async () => {
  const { properties } = JSON.parse(readFileSync(SCHEMA, 'utf-8')) as {
    properties: Record<string, Property>;
  };
  const rows = Object.entries(properties).map(([name, { description }]) => {
    const flag = name === 'name' ? '`<name>`' : `\`--${name}\``;
    return `| ${flag} | ${description.replaceAll('|', '\\|')} |`;
  });
  await section('flags', ['| flag | |', '| --- | --- |', ...rows].join('\n'));
});

it('states what a pull request gains, within the budget', async () => {
  const files = renderShape(SHAPES[0]!);
  const isDomain = (path: string): boolean => /notifications/.test(path);
  const isOther = (path: string): boolean => /chats/.test(path);
  const isExample = (path: string): boolean => /example\//.test(path);
  const isPublisher = (path: string): boolean => path.startsWith('apps/orders');
  const groups = {
    'first domain': files.filter(
      ({ path }) => !isOther(path) && !isExample(path) && !isPublisher(path),
    ),
    'each further domain': files.filter(({ path }) => isDomain(path)),
    'each publisher': files.filter(({ path }) => isPublisher(path)),
    'examples, shared': files.filter(({ path }) => isExample(path) && !isOther(path)),
    'examples, a domain': files.filter(({ path }) => isExample(path) && isOther(path)),
  };
  const rows = Object.entries(groups).map(([name, group]) => {
    const lines = group.reduce((sum, { content }) => sum + content.split('\n').length - 1, 0);
    const budget = BUDGET[name as keyof typeof BUDGET];
    // The own file of a domain or publisher comes on top of what is rendered.
    const count = group.length + (name.startsWith('examples') ? 0 : 1);
    expect(count, `files: ${name}`).toBeLessThanOrEqual(budget.files);
    expect(lines, `lines: ${name}`).toBeLessThanOrEqual(budget.lines);
    return `| ${name} | ${count} | ${lines} | ${budget.files} | ${budget.lines} |`;
  });
  await section(
    'budget',
    ['| | files | lines | at most | at most |', '| --- | --- | --- | --- | --- |', ...rows].join(
      '\n',
    ),
  );
});

it.each(['integrated', 'solution'] as const)(
  'keeps at most one base for each merged file, in an %s workspace',
  async (layout) => {
    const tree = hostTree(layout);
    for (const name of ['Notification', 'Chat']) {
      await realtimeDomainGenerator(tree, { name, skipFormat: true });
    }
    const { files } = JSON.parse(tree.read('.nx-realtime/manifest.json', 'utf-8') ?? '') as {
      files: Record<string, { owner: string }>;
    };
    // A domain file is merged too: what it was at the last run tells what changed in it.
    const merged = [...snapshot(tree).keys()].filter(
      (path) => files[path]?.owner === 'merged' || path.endsWith('.domain.json'),
    );
    const bases = [...snapshot(tree).keys()].filter((path) => path.endsWith('.base'));
    expect(bases.length).toBeLessThanOrEqual(merged.length);
    expect(
      bases.filter((path) => !merged.some((own) => path === `.nx-realtime/base/${own}.base`)),
    ).toEqual([]);
  },
);

/** Compares what stands between two markers of the README, or writes it. */
async function section(name: string, text: string): Promise<void> {
  const readme = readFileSync(README, 'utf-8');
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [head, rest] = readme.split(begin);
  const [, tail] = rest!.split(end);
  const next = await format(`${head}${begin}\n\n${text}\n\n${end}${tail}`, {
    parser: 'markdown',
    singleQuote: true,
    printWidth: 100,
  });
  if (process.env['UPDATE_GOLDEN']) writeFileSync(README, next);
  else expect(readme).toBe(next);
}
