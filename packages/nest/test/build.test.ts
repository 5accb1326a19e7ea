import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../src/version';
import { PACKAGE, TMP } from './support/aliases.js';
import { ENV } from './support/stack.js';

/** A project that has the package installed as it is published. */
const PROJECT = join(TMP, 'project');
const INSTALLED = join(PROJECT, 'node_modules/@nx-realtime/nest');
/** What an app brought along long ago. */
const NESTED = join(PROJECT, 'node_modules/legacy/node_modules/@nx-realtime/nest');
const DOORS = ['.', './publisher', './observability', './testing'];
const LIMIT_MS = 120_000;

const sources = (): string[] =>
  readdirSync(join(PACKAGE, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** As `tsc -p tsconfig.build.json` writes it, types aside. */
function build(): void {
  const config = join(PACKAGE, 'tsconfig.build.json');
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const options = ts.getParsedCommandLineOfConfigFile(config, {}, host)?.options ?? {};
  const kept = { ...options, declaration: false, declarationMap: false, sourceMap: false };
  for (const path of sources()) {
    const { outputText } = ts.transpileModule(readFileSync(join(PACKAGE, 'src', path), 'utf8'), {
      compilerOptions: kept,
      fileName: join(PACKAGE, 'src', path),
    });
    write(join(INSTALLED, 'dist', path.replace(/\.ts$/, '.js')), outputText);
  }
  cpSync(join(PACKAGE, 'package.json'), join(INSTALLED, 'package.json'));
}

/** Runs a script in the project. Returns what it prints as JSON. */
function run<T>(name: string, text: string, missing: readonly string[] = []): T {
  // As Node finds a package that is not installed.
  const hidden = write(
    join(PROJECT, 'hidden.cjs'),
    `const { Module } = require('node:module');
    const resolve = Module._resolveFilename;
    const hidden = (process.env.HIDDEN ?? '').split(',').filter(Boolean);
    Module._resolveFilename = function (name, ...rest) {
      if (hidden.some((one) => name === one || name.startsWith(one + '/')))
        throw Object.assign(new Error('Cannot find module ' + name), { code: 'MODULE_NOT_FOUND' });
      return resolve.call(this, name, ...rest);
    };`,
  );
  const file = write(join(PROJECT, name), text);
  return JSON.parse(
    execFileSync(process.execPath, ['-r', hidden, file], {
      cwd: PROJECT,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...ENV, HIDDEN: missing.join(',') },
    }),
  ) as T;
}

/** A host in plain JavaScript: nothing of it has the metadata of decorators. */
const HOST = `
require('reflect-metadata');
const { Module, Injectable } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { WebSocketGateway } = require('@nestjs/websockets');
const { HandshakeGuard, RealtimeCoreModule, setupRealtime } = require('@nx-realtime/nest');
const decorated = (type, ...decorators) => (Reflect.decorate(decorators, type), type);
const WsAuthGuard = decorated(class WsAuthGuard extends HandshakeGuard {}, Injectable());
const Gateway = decorated(class Gateway {}, WebSocketGateway({ namespace: '/notifications' }));
const RealtimeModule = decorated(class RealtimeModule {}, Module({
  imports: [RealtimeCoreModule.forRoot({ app: 'api', guard: WsAuthGuard })],
  providers: [WsAuthGuard, Gateway],
}));
const AppModule = decorated(class AppModule {}, Module({ imports: [RealtimeModule] }));
const start = async () => {
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  await setupRealtime(app);
  await app.listen(0, '127.0.0.1');
  return app;
};
`;

describe('the built package', { timeout: LIMIT_MS }, () => {
  beforeAll(() => {
    rmSync(PROJECT, { recursive: true, force: true });
    write(join(PROJECT, 'package.json'), JSON.stringify({ name: 'project', private: true }));
    build();
    cpSync(INSTALLED, NESTED, { recursive: true });
    write(join(NESTED, 'dist/version.js'), `exports.VERSION = '0.0.9';`);
    write(
      join(PROJECT, 'node_modules/legacy/index.js'),
      `module.exports = require('@nx-realtime/nest');`,
    );
  }, LIMIT_MS);

  it('boots without the metadata that a compiler may make of decorators', () => {
    for (const path of sources()) {
      const text = readFileSync(join(INSTALLED, 'dist', path.replace(/\.ts$/, '.js')), 'utf8');
      expect([path, text.includes('design:paramtypes')]).toEqual([path, false]);
    }
    const health = run<object>(
      'boot.cjs',
      `${HOST}
      start().then(async (app) => {
        const { port } = app.getHttpServer().address();
        const response = await fetch('http://127.0.0.1:' + port + '/health/ready');
        console.log(await response.text());
        process.exit();
      });`,
    );
    expect(health).toHaveProperty('details.realtime.gateways', 'up');
  });

  it('refuses a second copy at boot, in one line with both versions and folders', () => {
    const message = run<string>(
      'twice.cjs',
      `require('legacy');
      ${HOST}
      start().catch(({ message }) => { console.log(JSON.stringify(message)); process.exit(); });`,
    );
    expect(message).toMatch(/^@nx-realtime\/nest is loaded 2 times: [^\n]*$/);
    for (const [version, folder] of [
      ['0.0.9', NESTED],
      [VERSION, INSTALLED],
    ]) {
      expect(message).toContain(`${version} (${join(folder as string, 'dist')})`);
    }
  });

  it('leaves packages that a host has by choice to the moment that needs them', () => {
    const verifier = readFileSync(join(INSTALLED, 'dist/handshake/token-verifier.js'), 'utf8');
    expect(verifier).toContain(`await import('jose')`);
    const optional = ['jose', 'amqplib', 'amqp-connection-manager', 'ioredis', 'prom-client'];
    const names = run<string[]>(
      'lean.cjs',
      `console.log(JSON.stringify(Object.keys(require('@nx-realtime/nest'))));`,
      [...optional, '@opentelemetry/api', '@nestjs/testing', 'socket.io-client'],
    );
    expect(names).toContain('setupRealtime');
  });

  it('publishes in an app that has neither websockets nor microservices', () => {
    const names = run<string[]>(
      'publisher.cjs',
      `console.log(JSON.stringify(Object.keys(require('@nx-realtime/nest/publisher'))));`,
      ['@nestjs/websockets', '@nestjs/microservices', '@nestjs/platform-socket.io', 'socket.io'],
    );
    expect(names).toContain('RealtimePublisherModule');
  });

  it.each([
    ['testing', '@nestjs/testing'],
    ['testing', 'socket.io-client'],
    ['observability', 'prom-client'],
    ['observability', '@opentelemetry/api'],
  ])('says in one line what %s lacks: %s', (door, missing) => {
    const message = run<string>(
      'lacks.cjs',
      `try { require('@nx-realtime/nest/${door}'); console.log('null'); }
      catch ({ message }) { console.log(JSON.stringify(message)); }`,
      [missing],
    );
    expect(message).toBe(
      `@nx-realtime/nest/${door} needs the package ${missing}, which is not installed. Add it: npm install ${missing}`,
    );
  });

  it('has the same names for ES modules as for CommonJS', () => {
    const names = `Object.keys(door).filter((name) => !/^(?:default|module\\.exports|__esModule)$/.test(name)).sort()`;
    const imported = run<string[][]>(
      'names.mjs',
      `const found = [];
      for (const path of ${JSON.stringify(DOORS)}) {
        const door = await import('@nx-realtime/nest' + path.slice(1));
        found.push(${names});
      }
      console.log(JSON.stringify(found));`,
    );
    const required = run<string[][]>(
      'names.cjs',
      `console.log(JSON.stringify(${JSON.stringify(DOORS)}.map((path) => {
        const door = require('@nx-realtime/nest' + path.slice(1));
        return ${names};
      })));`,
    );
    expect(imported).toEqual(required);
    expect(imported.map((found) => found.length > 0)).toEqual(DOORS.map(() => true));
  });
});
