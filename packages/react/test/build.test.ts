import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderHost } from '../../plugin/test/support/render-host.js';
import { domain, hostFacts } from '../../plugin/test/support/shapes.js';
import { buildReact } from '../../../scripts/build-react.mjs';

const REACT = resolve(import.meta.dirname, '..');
/** A project that has the package installed as it is published. */
const PROJECT = join(REACT, 'tmp/project');
const INSTALLED = join(PROJECT, 'node_modules/@nx-realtime/react');
const DIST = join(INSTALLED, 'dist');

const write = (name: string, text: string): string => {
  const path = join(PROJECT, name);
  writeFileSync(path, text);
  return path;
};
const run = (name: string, text: string): unknown =>
  JSON.parse(execFileSync('node', [write(name, text)], { encoding: 'utf8' }));
const sources = (): string[] =>
  readdirSync(join(REACT, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.tsx?$/.test(path),
  );
const importsOf = (path: string): string[] =>
  ts
    .preProcessFile(readFileSync(path, 'utf8'), true, true)
    .importedFiles.map((one) => one.fileName);

describe('the built package', () => {
  beforeAll(async () => {
    rmSync(PROJECT, { recursive: true, force: true });
    mkdirSync(INSTALLED, { recursive: true });
    write('package.json', JSON.stringify({ name: 'project', private: true }));
    await buildReact(DIST);
    cpSync(join(REACT, 'src'), join(INSTALLED, 'src'), { recursive: true });
    cpSync(join(REACT, 'package.json'), join(INSTALLED, 'package.json'));
  });

  it('is code of the client, of one file in each format', () => {
    for (const file of ['index.mjs', 'index.js']) {
      const text = readFileSync(join(DIST, file), 'utf8');
      expect(text).toMatch(/^["']use client["'];\n/);
      expect(importsOf(join(DIST, file)).sort()).toEqual(['react', 'socket.io-client']);
    }
  });

  it('has the same names in both formats, also for what reads one from the other', () => {
    const names =
      'console.log(JSON.stringify(Object.keys(kernel).filter((n) => !/^(default|module\\.exports)$/.test(n)).sort()))';
    const imported = run('names.mjs', `import * as kernel from '@nx-realtime/react'; ${names}`);
    const required = run('names.cjs', `const kernel = require('@nx-realtime/react'); ${names}`);
    const mixed = run(
      'mixed.mjs',
      `import * as kernel from './node_modules/@nx-realtime/react/dist/index.js'; ${names}`,
    );
    expect(imported).toContain('createRealtime');
    expect(required).toEqual(imported);
    expect(mixed).toEqual(imported);
  });

  it('has a bridge to TanStack Query that loads nothing, in both formats', () => {
    for (const file of ['tanstack-query.mjs', 'tanstack-query.js']) {
      expect(importsOf(join(DIST, file))).toEqual([]);
    }
    const names = 'console.log(JSON.stringify(Object.keys(bridge)))';
    const from = '@nx-realtime/react/tanstack-query';
    const imported = run('bridge.mjs', `import * as bridge from '${from}'; ${names}`);
    expect(imported).toEqual(['liveQuery']);
    expect(run('bridge.cjs', `const bridge = require('${from}'); ${names}`)).toEqual(imported);
  });

  it('is one connection and one kind of error though both formats are loaded', () => {
    const told = run(
      'both.mjs',
      `import { createRequire } from 'node:module';
      import * as esm from '@nx-realtime/react';
      const cjs = createRequire(import.meta.url)('@nx-realtime/react');
      const realtime = esm.createRealtime({
        url: undefined,
        token: { get: () => null, subscribe: () => () => {} },
      });
      const channel = realtime.channel('/x', {});
      const error = await channel.send('x.y', {}).catch((reason) => reason);
      const { createElement } = await import('react');
      const { renderToString } = await import('react-dom/server');
      const Status = () => cjs.useChannel(channel, {}, {}).status;
      console.log(JSON.stringify({
        copies: esm.RealtimeCommandError !== cjs.RealtimeCommandError,
        isBoth: error instanceof esm.RealtimeCommandError && error instanceof cjs.RealtimeCommandError,
        isOther: error instanceof cjs.RealtimeContractError,
        code: error.code,
        status: renderToString(createElement(Status)),
      }));`,
    );
    expect(told).toEqual({
      copies: true,
      isBoth: true,
      isOther: false,
      code: 'NOT_CONNECTED',
      status: 'idle',
    });
  });

  it.each([
    [
      'node10',
      {
        module: 'commonjs',
        moduleResolution: 'node10',
        ignoreDeprecations: '6.0',
      },
    ],
    ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
    ['bundler', { module: 'preserve', moduleResolution: 'bundler' }],
  ])('has types for %s, as strict as can be', (name, options) => {
    const use = `import { createRealtime, useChannel } from '@nx-realtime/react';
      import type { RealtimeHandler, StandardSchema } from '@nx-realtime/react';
      import { QueryClient } from '@tanstack/react-query';
      import { liveQuery } from '@nx-realtime/react/tanstack-query';
      declare const schema: StandardSchema<{ readonly text: string }>;
      const token = { get: () => null, subscribe: () => () => undefined };
      const realtime = createRealtime({ url: 'https://x', token });
      const channel = realtime.channel('/chats', { 'chat.said': schema });
      const onSaid: RealtimeHandler<{ readonly text: string }> = () => undefined;
      export const use = () => useChannel(channel, { 'chat.said': onSaid }, {}).status;
      export const bridge = (client: QueryClient) =>
        liveQuery(client, ['chats'], channel, { 'chat.said': 'add' });
      // @ts-expect-error There is no such event.
      export const bad = (client: QueryClient) => liveQuery(client, ['chats'], channel, { x: 'add' });
      // @ts-expect-error The payload has no such field.
      export const wrong = () => useChannel(channel, { 'chat.said': ({ id }) => id }, {});
      `;
    const extensions = name === 'nodenext' ? ['mts', 'cts'] : ['ts'];
    const files = extensions.map((extension) => write(`${name}.${extension}`, use));
    expect(compile(files, options)).toEqual([]);
  });

  it('leads a debugger and an editor to its sources', () => {
    for (const map of [
      'index.mjs.map',
      'index.js.map',
      'core/channel.d.mts.map',
      'index.d.ts.map',
    ]) {
      const path = join(DIST, map);
      const { sources: named } = JSON.parse(readFileSync(path, 'utf8')) as {
        sources: string[];
      };
      const found = named.map((source) => resolve(path, '..', source).replace(/^.*\/src\//, ''));
      expect(found.filter((source) => !sources().includes(source))).toEqual([]);
    }
  });

  it('adds at most 6 KB to a page, minified and gzipped, and 1.5 KB with live lists', async () => {
    const names = run(
      'page.mjs',
      "import * as kernel from '@nx-realtime/react'; console.log(JSON.stringify(Object.keys(kernel)))",
    ) as string[];
    const others = names.filter((name) => !/live/i.test(name));
    expect(others).toHaveLength(names.length - 2);
    const page = `export { ${others.join()} } from '@nx-realtime/react';`;
    const code = await bundled('page.mjs', page);
    const bytes = gzipSync(code, { level: 9 }).length;
    expect(code).toContain('does not match its contract');
    expect(bytes).toBeLessThanOrEqual(6 * 1_024);
    const whole = await bundled('whole.mjs', "export * from '@nx-realtime/react';");
    const more = gzipSync(whole, { level: 9 }).length - bytes;
    expect(more).toBeLessThanOrEqual(1.5 * 1_024);
    const readme = readFileSync(join(REACT, 'README.md'), 'utf8');
    const inKb = (size: number): string => `${Math.round(size / 512) / 2} KB`;
    expect(readme).toContain(`${inKb(bytes)}, minified and gzipped`);
    expect(readme).toContain(`${inKb(more)} more with live lists`);
  });

  it('is a part of at most 25 KB for all that is generated, with its libraries', async () => {
    const shape = {
      name: 'page-weight',
      host: hostFacts({ solution: false, runner: 'vitest' }),
      domains: [domain({ name: 'Notification', clientEvents: ['markRead{notificationId}'] })],
    };
    renderHost('plugin', shape, /^(?:apps\/web|libs)\//, '../react/test/tsconfig.json');
    const rendered = resolve(REACT, '../plugin/tmp/page-weight');
    const feature = join(rendered, 'apps/web/src/features/notifications/realtime');
    const entry = `import { NotificationsProvider } from '${feature}/notifications-provider';
      import { useNotificationsSocket } from '${feature}/use-notifications-socket';
      globalThis.page = [NotificationsProvider, useNotificationsSocket];`;
    const bundle = await rolldown({
      input: write('emitted.mjs', entry),
      platform: 'browser',
      external: [/^react(?:\/|$)/],
      tsconfig: false,
      resolve: {
        alias: {
          '@nx-realtime/react': join(DIST, 'index.mjs'),
          '@acme/realtime-contracts/notifications': join(
            rendered,
            'libs/realtime-contracts/src/notifications.contract.ts',
          ),
        },
      },
      transform: { define: { 'process.env.NODE_ENV': '"production"' } },
      onLog: () => undefined,
    });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    const { code } = output[0];
    expect(code).toContain('notification.created');
    expect(code).toContain('reconnectionDelayMax');
    // With all of zod it would be 43 KB.
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(25 * 1_024);
  });

  it('leaves nothing on a page that does not use it', async () => {
    const code = await bundled('other.mjs', "import '@nx-realtime/react'; export const own = 1;");
    expect(code).not.toContain('socket.io');
  });
});

/** The code that a page gets, without React and socket.io-client. */
async function bundled(name: string, text: string): Promise<string> {
  const bundle = await rolldown({
    input: write(name, text),
    platform: 'browser',
    external: ['react', 'socket.io-client'],
    // Of 'use client', which is for other bundlers.
    onLog: () => undefined,
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  return output[0].code;
}

describe('the sources, as a workspace compiles them that has ejected them', () => {
  const relative = () =>
    sources().flatMap((path) =>
      importsOf(join(REACT, 'src', path)).filter((name) => name.startsWith('.')),
    );

  it('import each other without extensions, which every bundler and test runner resolves', () => {
    expect(relative().length).toBeGreaterThan(10);
    expect(relative().filter((name) => /\.[cm]?[jt]sx?$/.test(name))).toEqual([]);
    const manifest = JSON.parse(readFileSync(join(REACT, 'package.json'), 'utf8')) as object;
    expect(manifest).not.toHaveProperty('type');
  });

  // The other configurations of hosts compile them with the code that is emitted.
  it.each([
    ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
    [
      'CommonJS without strict',
      {
        module: 'commonjs',
        moduleResolution: 'bundler',
        strict: false,
        exactOptionalPropertyTypes: false,
      },
    ],
  ])('compile in %s', (_name, options) => {
    expect(compile([join(REACT, 'src/index.ts')], options)).toEqual([]);
  });

  it('have no React in their core', () => {
    const core = sources().filter((path) => path.startsWith('core/'));
    const imported = core.flatMap((path) => importsOf(join(REACT, 'src', path)));
    expect(imported.filter((name) => /react/.test(name))).toEqual([]);
  });
});

describe('the public door', () => {
  it('has few names, each with what it does and an example', () => {
    const program = ts.createProgram([join(REACT, 'src/index.ts')], {
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      module: ts.ModuleKind.Preserve,
      noLib: true,
      types: [],
    });
    const checker = program.getTypeChecker();
    const door = program.getSourceFile(join(REACT, 'src/index.ts')) as ts.SourceFile;
    const names = checker
      .getExportsOfModule(checker.getSymbolAtLocation(door) as ts.Symbol)
      .map((symbol) => checker.getAliasedSymbol(symbol));
    expect(names.length).toBeLessThanOrEqual(28);
    const bare = names.filter(
      (symbol) =>
        symbol.getDocumentationComment(checker).length === 0 ||
        !symbol.getJsDocTags(checker).some(({ name }) => name === 'example'),
    );
    expect(bare.map(({ name }) => name)).toEqual([]);
  });
});

function compile(files: readonly string[], options: object): string[] {
  const { options: parsed, errors } = ts.convertCompilerOptionsFromJson(
    {
      target: 'es2022',
      lib: ['es2021', 'dom', 'dom.iterable'],
      types: [],
      strict: true,
      isolatedModules: true,
      noUnusedLocals: true,
      noUnusedParameters: true,
      noImplicitOverride: true,
      noImplicitReturns: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      ...options,
    },
    PROJECT,
  );
  const program = ts.createProgram(files, parsed, hostWith(parsed));
  return [...errors, ...ts.getPreEmitDiagnostics(program)].map(
    ({ file, messageText }) =>
      `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  );
}

/** Parsed once: each program reads the same libraries. */
const declarations = new Map<string, ts.SourceFile>();

function hostWith(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  return {
    ...host,
    getSourceFile: (path, language, ...rest) => {
      if (!/\/node_modules\/typescript\/lib\//.test(path)) {
        return host.getSourceFile(path, language, ...rest);
      }
      const known = declarations.get(path) ?? host.getSourceFile(path, language, ...rest);
      if (known) declarations.set(path, known);
      return known;
    },
  };
}
