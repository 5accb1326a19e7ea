import { parse as parseJson } from 'jsonc-parser';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import {
  appendJson,
  dropEnv,
  dropLines,
  ensureEnv,
  ensureLines,
  ensureYaml,
  setJson,
} from './index.js';
import type { Edit } from './index.js';
import { crlf, doneTwice } from '../../../test/support/wiring-edits.js';

describe('setJson', () => {
  const paths = ['compilerOptions', 'paths', '@acme/contracts/*'];
  const set = (text: string) => setJson(text, paths, ['libs/contracts/src/*.contract.ts']);

  it.each<[string, string, string]>([
    [
      'beside other members',
      '{\n  // base\n  "compilerOptions": {\n    "paths": {\n      "@acme/a": ["libs/a"]\n    },\n    "strict": true // yes\n  }\n}\n',
      '{\n  // base\n  "compilerOptions": {\n    "paths": {\n      "@acme/a": ["libs/a"],\n      "@acme/contracts/*": ["libs/contracts/src/*.contract.ts"]\n    },\n    "strict": true // yes\n  }\n}\n',
    ],
    [
      'with what is above it',
      '{\n\t"compilerOptions": {}\n}\n',
      '{\n\t"compilerOptions": {\n\t\t"paths": {\n\t\t\t"@acme/contracts/*": ["libs/contracts/src/*.contract.ts"]\n\t\t}\n\t}\n}\n',
    ],
    [
      'in an empty file',
      '',
      '{\n  "compilerOptions": {\n    "paths": {\n      "@acme/contracts/*": ["libs/contracts/src/*.contract.ts"]\n    }\n  }\n}\n',
    ],
  ])('adds a member %s', (_, before, after) => {
    expect(doneTwice(before, set, null)).toBe(after);
    if (before) expect(doneTwice(crlf(before), set, null)).toBe(crlf(after));
  });

  it('keeps a member that is there, whatever it holds', () => {
    expect(setJson('{ "a": null }', ['a'], 1)).toEqual({ kind: 'already' });
    expect(
      setJson('{ "targets": { "check": {} } }', ['targets', 'check'], { executor: 'x' }),
    ).toEqual({ kind: 'already' });
  });

  it.each([
    '{ "compilerOptions": [] }',
    '{ "compilerOptions": { "paths": null } }',
    '[]',
    '{ "a": }',
    '{',
  ])('leaves alone: %s', (text) => {
    expect(set(text)).toEqual({
      kind: 'unable',
      snippet: 'compilerOptions > paths > @acme/contracts/*: ["libs/contracts/src/*.contract.ts"]',
      reason: expect.stringMatching(/./),
    });
  });
});

describe('appendJson', () => {
  it.each<[string, string, string]>([
    [
      'a list in one line',
      '{ "workspaces": ["apps/*", "libs/a"] }\n',
      '{ "workspaces": ["apps/*", "libs/a", "libs/b"] }\n',
    ],
    ['an empty list', '{ "workspaces": [ ] }\n', '{ "workspaces": ["libs/b"] }\n'],
    [
      'a list over lines',
      '{\n  "workspaces": [\n    "apps/*"\n  ]\n}\n',
      '{\n  "workspaces": [\n    "apps/*",\n    "libs/b"\n  ]\n}\n',
    ],
    [
      'a list with comments',
      '{\n  "workspaces": [\n    // all\n    "apps/*" // of them\n  ]\n}\n',
      '{\n  "workspaces": [\n    // all\n    "apps/*", // of them\n    "libs/b"\n  ]\n}\n',
    ],
  ])('adds to %s', (_, before, after) => {
    const result = doneTwice(before, (text) => appendJson(text, ['workspaces'], 'libs/b'), null);
    expect(result).toBe(after);
  });

  it('adds to a list with a trailing comma', () => {
    const text = '{\n  "workspaces": [\n    "apps/*",\n  ],\n}\n';
    const result = doneTwice(text, (before) => appendJson(before, ['workspaces'], 'libs/b'), null);
    expect(parseJson(result, [], { allowTrailingComma: true })).toEqual({
      workspaces: ['apps/*', 'libs/b'],
    });
  });

  it('creates the list, and what is above it', () => {
    const text = '{\n  "plugins": []\n}\n';
    const result = doneTwice(
      text,
      (before) => appendJson(before, ['sync', 'globalGenerators'], '@nx-realtime/plugin:sync'),
      null,
    );
    expect(JSON.parse(result)).toEqual({
      plugins: [],
      sync: { globalGenerators: ['@nx-realtime/plugin:sync'] },
    });
  });

  it('adds a reference once, whatever the order of its members', () => {
    const text = '{\n  "references": [\n    {\n      "path": "./apps/web"\n    }\n  ]\n}\n';
    const result = doneTwice(
      text,
      (before) => appendJson(before, ['references'], { path: './libs/c' }),
      null,
    );
    expect(result).toBe(
      '{\n  "references": [\n    {\n      "path": "./apps/web"\n    },\n    {\n      "path": "./libs/c"\n    }\n  ]\n}\n',
    );
    expect(appendJson('{"r":[{"b":1,"a":2}]}', ['r'], { a: 2, b: 1 })).toEqual({ kind: 'already' });
  });

  it('leaves what is no list alone', () => {
    expect(appendJson('{ "workspaces": { "packages": [] } }', ['workspaces'], 'libs/b')).toEqual({
      kind: 'unable',
      snippet: 'workspaces: ["libs/b"]',
      reason: 'workspaces is not a list',
    });
  });
});

describe('ensureEnv', () => {
  const entries = [
    { key: 'PORT', value: '3333' },
    { key: 'JWT_SECRET', value: 'new', comment: 'At least 32 bytes' },
  ];
  const ensure = (text: string) => ensureEnv(text, entries);
  const SECRET = '# At least 32 bytes\nJWT_SECRET=new\n';

  it.each<[string, string, string]>([
    ['an empty file', '', `PORT=3333\n${SECRET}`],
    ['a file without a last newline', 'A=1\nPORT=1', `A=1\nPORT=1\n${SECRET.trimEnd()}`],
    ['an exported key', 'export PORT=1\n', `export PORT=1\n${SECRET}`],
    ['an empty key', 'PORT=\n', `PORT=\n${SECRET}`],
    ['a quoted key', 'PORT="1"\n', `PORT="1"\n${SECRET}`],
    ['a key that is a comment', '# PORT=1\n', `# PORT=1\nPORT=3333\n${SECRET}`],
    [
      'a key within a value of several lines',
      'PORT=1\nKEY="a\nJWT_SECRET=b\n"\n',
      `PORT=1\nKEY="a\nJWT_SECRET=b\n"\n${SECRET}`,
    ],
  ])('adds what is missing to %s', (_, before, after) => {
    expect(doneTwice(before, ensure, null)).toBe(after);
    if (before.includes('\n')) expect(doneTwice(crlf(before), ensure, null)).toBe(crlf(after));
  });

  it('keeps every value that is there', () => {
    expect(ensure('\uFEFFPORT=1\r\nJWT_SECRET=old\r\n')).toEqual({ kind: 'already' });
  });

  it.each(['a b', 'a#b', "it's", 'say "hi"', '`', 'plain', '', 'C:\\new'])(
    'writes %j so that it reads back',
    (value) => {
      const result = ensureEnv('', [{ key: 'KEY', value }]);
      expect(result.kind === 'done' && parseEnv(result.text)).toEqual({ KEY: value });
    },
  );
});

describe('ensureLines', () => {
  const ensure = (text: string) => ensureLines(text, ['.env.local', '.env.*.local'], 'Secrets');

  it.each<[string, string, string]>([
    ['an empty file', '', '# Secrets\n.env.local\n.env.*.local\n'],
    ['a file without a last newline', 'dist', 'dist\n\n# Secrets\n.env.local\n.env.*.local'],
    [
      'a file that has some',
      'dist\n  .env.local  \n',
      'dist\n  .env.local  \n\n# Secrets\n.env.*.local\n',
    ],
    [
      'a file with the heading',
      '# Secrets\n.env.local\n\ndist\n',
      '# Secrets\n.env.local\n.env.*.local\n\ndist\n',
    ],
    [
      'a file that ends with the heading',
      'dist\n\n# Secrets\n.env.local\n',
      'dist\n\n# Secrets\n.env.local\n.env.*.local\n',
    ],
  ])('adds what is missing to %s', (_, before, after) => {
    expect(doneTwice(before, ensure, null)).toBe(after);
    if (before.includes('\n')) expect(doneTwice(crlf(before), ensure, null)).toBe(crlf(after));
  });
});

describe('ensureYaml', () => {
  const DEFAULTS =
    'services:\n  rabbitmq:\n    image: rabbitmq:4-management\n    ports:\n      - "5672:5672"\n  redis:\n    image: redis:7\nvolumes:\n  data: {}\n';
  const ensure = (text: string) => ensureYaml(text, DEFAULTS);

  it.each<[string, string, string]>([
    ['an empty file', '', DEFAULTS],
    [
      'a service, keeping comments and quotes',
      '# ours\nservices:\n    rabbitmq: # the broker\n        image: "rabbitmq:3"\n\n# the end\n',
      '# ours\nservices:\n    rabbitmq: # the broker\n        image: "rabbitmq:3"\n        ports:\n          - "5672:5672"\n    redis:\n      image: redis:7\nvolumes:\n  data: {}\n\n# the end\n',
    ],
    [
      'keys to a service, keeping its list',
      'services:\n  redis:\n    command:\n    - redis-server\n  rabbitmq:\n    ports: ["1:1"]\n    image: x\nvolumes:\n  data:\n',
      'services:\n  redis:\n    command:\n    - redis-server\n    image: redis:7\n  rabbitmq:\n    ports: ["1:1"]\n    image: x\nvolumes:\n  data:\n',
    ],
    [
      'to a file that ends with a block of text',
      'services:\n  redis:\n    image: redis:7\n  rabbitmq:\n    image: x\n    ports: []\nx-note: |\n  long\n  text\n',
      'services:\n  redis:\n    image: redis:7\n  rabbitmq:\n    image: x\n    ports: []\nx-note: |\n  long\n  text\nvolumes:\n  data: {}\n',
    ],
    [
      'to a file without a last newline',
      'services:\n  redis:\n    image: redis:7\n  rabbitmq:\n    image: x\n    ports: []',
      'services:\n  redis:\n    image: redis:7\n  rabbitmq:\n    image: x\n    ports: []\nvolumes:\n  data: {}',
    ],
  ])('adds %s', (_, before, after) => {
    const result = doneTwice(before, ensure, null);
    expect(result).toBe(after);
    expect(() => parseYaml(result) as unknown).not.toThrow();
    if (before) expect(doneTwice(crlf(before), ensure, null)).toBe(crlf(after));
  });

  it.each(['- a\n', 'a: [\n', '{ services: {} }\n', 'services: { redis: { image: x } }\n'])(
    'leaves alone: %j',
    (text) => {
      expect(ensure(text)).toEqual({
        kind: 'unable',
        snippet: DEFAULTS,
        reason: expect.stringMatching(/./),
      });
    },
  );

  it('does nothing where all is there', () => {
    expect(ensure(`${DEFAULTS}\nnetworks: {}\n`)).toEqual({ kind: 'already' });
  });
});

describe('what is dropped again', () => {
  const lines = ['.env.local', '.env.*.local'];
  const entries = [{ key: 'PORT', value: '3333', comment: 'The API' }];
  const text = (edit: Edit): string => (edit.kind === 'done' ? edit.text : edit.kind);

  it.each(['dist\n', 'dist', 'dist\n\n', 'a\r\ndist\r\n', 'a\r\ndist'])(
    'leaves %j as it was',
    (before) => {
      const ignored = text(ensureLines(before, lines, 'Secrets'));
      expect(ignored).not.toBe(before);
      expect(text(dropLines(ignored, lines, 'Secrets'))).toBe(before);
      const env = text(ensureEnv(before, entries));
      expect(env).not.toBe(before);
      expect(text(dropEnv(env, entries))).toBe(before);
    },
  );
});
