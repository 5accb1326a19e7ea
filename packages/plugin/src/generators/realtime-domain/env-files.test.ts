import { logger } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import childProcess from 'node:child_process';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addVite, hostTree, snapshot } from '../../../test/support/host-tree.js';
import realtimeDomainGenerator from './generator.js';

const API = 'apps/api-gateway/.env.local';
const WEB = 'apps/web/.env.local';
const SECRET = 'the-secret-that-their-auth-signs-with';

const read = (tree: Tree, path: string) => parseEnv(tree.read(path, 'utf-8') ?? '');
const text = (tree: Tree, path: string) => tree.read(path, 'utf-8') ?? '';

/** Generates with these files in the workspace; returns it, and what was printed. */
async function generate(files: Readonly<Record<string, string>>, web = 'web') {
  const tree = hostTree();
  if (web !== 'web') addVite(tree, web);
  for (const [path, content] of Object.entries(files)) tree.write(path, content);
  const printed: string[] = [];
  vi.spyOn(logger, 'info').mockImplementation((line: string) => void printed.push(line));
  const done = await realtimeDomainGenerator(tree, { name: 'Notification', skipFormat: true, web });
  await done?.();
  return { tree, report: printed.join('\n') };
}

// Nothing is to be installed.
beforeEach(() => void vi.spyOn(childProcess, 'execSync').mockReturnValue(Buffer.alloc(0)));
afterEach(() => vi.restoreAllMocks());

describe('the env files of a workspace with variables of its own', () => {
  it('hold our names, and the report says what was written, where and why', async () => {
    const { tree, report } = await generate({});
    expect(Object.keys(read(tree, API)).sort()).toEqual([
      'PORT',
      'REALTIME_JWT_SECRET',
      'REALTIME_ORIGINS',
      'REALTIME_TCP_PORT',
      'REALTIME_TRANSPORT',
    ]);
    expect(read(tree, WEB)).toEqual({ NEXT_PUBLIC_REALTIME_URL: 'http://localhost:3333' });
    expect(report).toContain(`${API}: PORT=3333, as Next and Nest both take 3000`);
    expect(report).toContain(`${API}: REALTIME_JWT_SECRET, random: nothing here says`);
    expect(report).toContain(
      `${API}: REALTIME_ORIGINS=http://localhost:3000, where the web app is`,
    );
    expect(report).toContain(
      `${WEB}: NEXT_PUBLIC_REALTIME_URL=http://localhost:3333, where the API is`,
    );
    expect(report).not.toContain(read(tree, API)['REALTIME_JWT_SECRET']);
  });

  it.each([
    ['.env', 'JWT_SECRET'],
    ['.env.local', 'JWT_SECRET'],
    ['.env.development', 'JWT_SECRET'],
    ['apps/api-gateway/.env', 'JWT_SECRET'],
    ['apps/api-gateway/.env.development.local', 'JWT_SECRET'],
    [API, 'JWT_SECRET'],
    ['.env', 'JWKS_URI'],
    ['apps/api-gateway/.env', 'JWT_PUBLIC_KEY'],
    ['.env', 'REALTIME_JWT_SECRET'],
  ])('leave the key of %s, %s, the one that counts', async (path, name) => {
    const { tree, report } = await generate({ [path]: `${name}=${SECRET}\n` });
    expect(text(tree, path)).toMatch(new RegExp(`^${name}=${SECRET}\n`));
    if (path !== API) expect(read(tree, API)).not.toHaveProperty(name);
    expect(text(tree, API)).not.toMatch(/^REALTIME_JWT_SECRET=/m);
    expect(report).toMatch(new RegExp(`${API}: no REALTIME_JWT_SECRET, (as|which) ${path} sets`));
  });

  it.each([
    ['the app', 'apps/api-gateway/src/auth/auth.module.ts'],
    ['a library', 'libs/auth/src/jwt.strategy.ts'],
  ])('make up no secret where code of %s reads one that no file sets', async (_of, path) => {
    const { tree, report } = await generate({
      [path]: 'export const secret = process.env.JWT_SECRET;\n',
    });
    expect(text(tree, API)).not.toContain('JWT_SECRET');
    expect(report).toContain(
      `${API}: no REALTIME_JWT_SECRET, as ${path} reads JWT_SECRET, which no env file sets: set it`,
    );
  });

  it.each([
    ['an example', 'apps/api-gateway/.env.example', 'JWT_SECRET=\n'],
    ['production', 'apps/api-gateway/.env.production', `JWT_SECRET=${SECRET}\n`],
    ['a test', 'apps/api-gateway/src/a.spec.ts', "process.env.JWT_SECRET = 'x';\n"],
    ['another app', 'apps/web/src/lib/session.ts', 'export const s = process.env.JWT_SECRET;\n'],
    ['an empty one', '.env', 'JWT_SECRET=\n'],
  ])('take no secret from %s', async (_name, path, content) => {
    const { tree } = await generate({ [path]: content });
    expect(text(tree, API)).toMatch(/^REALTIME_JWT_SECRET=[0-9a-f]{64}$/m);
  });

  it('leave origins that fit, and write ours beside those that do not', async () => {
    const fits = await generate({ '.env': 'FRONTEND_URL=http://localhost:3000\n' });
    expect(text(fits.tree, API)).not.toContain('REALTIME_ORIGINS');
    expect(fits.report).toContain(`${API}: no REALTIME_ORIGINS, as .env sets FRONTEND_URL`);
    const path = { '.env': 'FRONTEND_URL=https://app.acme.example/welcome\n' };
    const { tree } = await generate(path);
    expect(read(tree, API)['REALTIME_ORIGINS']).toBe('http://localhost:3000');
    expect(text(tree, '.env')).toBe(path['.env']);
  });

  it('leave a URL of the API whose origin is the one, and write ours beside any other', async () => {
    const path = 'apps/web/.env';
    const fits = await generate({ [path]: 'NEXT_PUBLIC_API_URL=http://localhost:3333/api\n' });
    expect(fits.tree.exists(WEB)).toBe(false);
    expect(fits.report).toContain(
      `${WEB}: no NEXT_PUBLIC_REALTIME_URL, as ${path} sets NEXT_PUBLIC_API_URL`,
    );
    for (const value of ['/api', 'https://staging.acme.example/api']) {
      const { tree } = await generate({ [path]: `NEXT_PUBLIC_API_URL=${value}\n` });
      expect(read(tree, WEB)).toEqual({ NEXT_PUBLIC_REALTIME_URL: 'http://localhost:3333' });
      expect(read(tree, path)).toEqual({ NEXT_PUBLIC_API_URL: value });
    }
    const vite = await generate({ '.env': 'VITE_API_URL=http://localhost:3333\n' }, 'spa');
    expect(vite.tree.exists('apps/spa/.env.local')).toBe(false);
  });

  it('leave the port that the workspace has set, and say where it is to the browser', async () => {
    const { tree } = await generate({ '.env': 'PORT=4000\n' });
    expect(read(tree, API)).not.toHaveProperty('PORT');
    expect(read(tree, WEB)).toEqual({ NEXT_PUBLIC_REALTIME_URL: 'http://localhost:4000' });
  });

  it('of a workspace that was generated with the common names stay as they are', async () => {
    const files = {
      [API]: `PORT=3333\nJWT_SECRET=${SECRET}\nFRONTEND_URL=http://localhost:3000\nREALTIME_TRANSPORT=tcp\nREALTIME_TCP_PORT=4333\n`,
      [WEB]: 'NEXT_PUBLIC_API_URL=http://localhost:3333\n',
      'apps/web/.env.example': 'NEXT_PUBLIC_API_URL=http://localhost:3333\n',
      'apps/api-gateway/.env.example': 'PORT=3333\nJWT_SECRET=\nFRONTEND_URL=x\n',
    };
    const { tree } = await generate(files);
    for (const path of [API, WEB, 'apps/web/.env.example'] as const) {
      expect(text(tree, path)).toBe(files[path]);
    }
    expect(text(tree, 'apps/api-gateway/.env.example')).not.toMatch(/REALTIME_(JWT|ORIGINS)/);
  });

  it('are the same the second time', async () => {
    const { tree } = await generate({ '.env': `JWT_SECRET=${SECRET}\n` });
    const before = snapshot(tree);
    const { report } = await rerun(tree);
    expect(snapshot(tree)).toEqual(before);
    expect(report).not.toContain('as Next and Nest');
  });
});

async function rerun(tree: Tree) {
  const printed: string[] = [];
  vi.spyOn(logger, 'info').mockImplementation((line: string) => void printed.push(line));
  await (
    await realtimeDomainGenerator(tree, { name: 'Notification', skipFormat: true })
  )?.();
  return { report: printed.join('\n') };
}
