import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { rules } from '../src/index.js';
import { announced } from './support/announced.js';
import { lintFolder, sorted } from './support/lint.js';

const RECIPE = resolve(import.meta.dirname, 'recipe');
const APPS = ['api', 'worker', 'web'];

describe('a stack written from the recipes', () => {
  let copy: string;

  beforeEach(() => {
    copy = realpathSync(mkdtempSync(join(tmpdir(), 'nx-realtime-recipe-')));
    cpSync(RECIPE, copy, { recursive: true });
    symlinkSync(resolve(import.meta.dirname, '../../../node_modules'), join(copy, 'node_modules'));
  });

  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  it('compiles: the faults are not ones that a compiler sees', () => {
    expect(typeErrors(copy)).toEqual([]);
  });

  it('has every fault, and each is found where it is, and nothing else', async () => {
    const expected = announced(RECIPE);
    expect(sorted(await lintFolder(copy))).toEqual(sorted(expected));
    // Of a library that the recipe does not use.
    const used = Object.keys(rules).filter((name) => name !== 'require-rabbit-error-behavior');
    expect(new Set(expected.map(({ rule }) => rule))).toEqual(new Set(used));
  });

  it('is repaired by --fix where that is safe, and still compiles', async () => {
    const left = (await lintFolder(copy, { fix: true })).map(({ rule }) => rule);
    expect(typeErrors(copy)).toEqual([]);
    for (const rule of [
      'no-connection-state-recovery',
      'no-limited-reconnection',
      'no-off-without-handler',
    ]) {
      expect(left).not.toContain(rule);
    }
    const read = (path: string): string => readFileSync(join(copy, path), 'utf8');
    expect(read('apps/web/src/hooks/use-chat-socket.ts')).toContain(
      `socket.off('typing', onTyping)`,
    );
    expect(read('apps/api/src/redis-io.adapter.ts')).not.toContain('connectionStateRecovery');
    expect(read('apps/api/src/orders/orders.module.ts')).toMatch(
      /controllers: \[InvoicesConsumer, OrdersConsumer\]/,
    );
    expect(read('apps/api/src/chat/chat.gateway.ts')).toContain(
      'this.logger.log(`Client connected: ${client.id}`)',
    );
    // What it logs besides a text is not for a tool to choose.
    expect(read('apps/api/src/chat/chat.gateway.ts')).toContain(
      `console.log('Client disconnected', client.id)`,
    );
  });

  it('is left as it is by a second --fix', async () => {
    await lintFolder(copy, { fix: true });
    const once = APPS.map((app) => snapshot(join(copy, 'apps', app)));
    await lintFolder(copy, { fix: true });
    expect(APPS.map((app) => snapshot(join(copy, 'apps', app)))).toEqual(once);
  });
});

function program(folder: string): ts.Program {
  const path = join(folder, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as {
    config: unknown;
  };
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  return ts.createProgram(fileNames, options);
}

function typeErrors(root: string): string[] {
  return APPS.flatMap((app) =>
    ts
      .getPreEmitDiagnostics(program(join(root, 'apps', app)))
      .map(
        ({ file, messageText }) =>
          `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      ),
  );
}

function snapshot(folder: string): Record<string, string> {
  const { fileNames } = ts.parseJsonConfigFileContent({ include: ['src'] }, ts.sys, folder);
  return Object.fromEntries(fileNames.map((file) => [file, readFileSync(file, 'utf8')]));
}
