import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { hostTree, snapshot } from '../../../test/support/host-tree.js';
import realtimeDomainGenerator from '../../generators/realtime-domain/generator.js';
import realtimeCheckExecutor from './executor.js';
import type { RealtimeCheckSchema } from './schema.js';

const DOMAIN = 'apps/api-gateway/src/realtime/chats/chats.domain.json';
const GATEWAY = 'apps/api-gateway/src/realtime/chats/chats.gateway.ts';

const temporary = mkdtempSync(join(tmpdir(), 'nx-realtime-check-'));
const generated = join(temporary, 'generated');
let root: string;

afterAll(() => rmSync(temporary, { recursive: true, force: true }));

beforeAll(async () => {
  for (const [path, text] of snapshot(hostTree())) write(generated, path, text);
  const tree = new FsTree(generated, false);
  const serverEvents = ['posted{id,mood:enum(a|b)}'];
  await realtimeDomainGenerator(tree, { name: 'Chat', serverEvents, skipFormat: true });
  flushChanges(generated, tree.listChanges());
});

afterEach(() => {
  vi.unstubAllEnvs();
});

beforeEach(() => {
  for (const name of ['GITHUB_ACTIONS', 'GITHUB_WORKSPACE', 'CI_PROJECT_DIR']) vi.stubEnv(name, '');
  root = mkdtempSync(join(temporary, 'workspace-'));
  cpSync(generated, root, { recursive: true });
});

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(root, path), 'utf-8');
  expect(text).toContain(from);
  writeFileSync(join(root, path), text.replace(from, to));
}

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Dev', '-c', 'user.email=dev@example.com'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf-8', stdio: 'pipe' });
}

function commit(folder = root): void {
  git(folder, 'init', '--quiet', '--initial-branch=main');
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'As it is');
}

/** Runs the executor; `out` and `err` are what it printed. */
async function check(options: RealtimeCheckSchema = {}) {
  const printed = { out: '', err: '' };
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.out += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    printed.err += String(text);
    return true;
  });
  try {
    return { ...(await realtimeCheckExecutor(options, { root })), ...printed };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

describe('the verdict', () => {
  it('is green, says how long it took, and writes nothing', async () => {
    commit();
    const { success, out } = await check();
    expect(out).toMatch(/^Realtime code is up to date \(1 domain\)\.\nChecked in \d+ ms\.\n$/);
    expect(success).toBe(true);
    edit(DOMAIN, '"a|b"'.slice(1, -1), 'a|b|c');
    expect((await check()).success).toBe(false);
    expect(git(root, 'status', '--porcelain')).toBe(` M ${DOMAIN}\n`);
  });

  it('prints each finding with its class, a diff that can be applied, and what fixes it', async () => {
    commit();
    edit(DOMAIN, 'enum(a|b)', 'enum(a|b|c)');
    const { out, success } = await check();
    expect(success).toBe(false);
    expect(out).toMatch(/^domain-changed {2}libs\/realtime-contracts\/src\/chats\.contract\.ts$/m);
    expect(out).toMatch(/^ {4}\+.*'a', 'b', 'c'/m);
    expect(out).toMatch(/^To fix:\n {2}nx sync\n/m);
    const { findings } = JSON.parse((await check({ json: true })).out);
    for (const { diff } of findings) {
      if (diff) execFileSync('git', ['apply', '-'], { cwd: root, input: diff });
    }
    const left = JSON.parse((await check({ json: true })).out).findings;
    expect(left.map(({ diff }: { diff?: string }) => diff ?? '').join('')).toBe('');
  });

  it('is JSON alone with --json', async () => {
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    edit(GATEWAY, 'export class', '<<<<<<< yours\nexport class');
    const { out, success } = await check({ json: true });
    expect(success).toBe(false);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      plugin: { installed: expect.any(String) },
      domains: 1,
      ms: expect.any(Number),
      findings: [
        { class: 'conflict-markers', level: 'error', path: GATEWAY, line: expect.any(Number) },
      ],
    });
  });

  it('is a SARIF report and a Code Quality report', async () => {
    edit(GATEWAY, 'export class', '<<<<<<< yours\nexport class');
    await check({ sarif: 'reports/check.sarif', codeQuality: 'reports/quality.json' });
    const sarif = JSON.parse(readFileSync(join(root, 'reports/check.sarif'), 'utf-8'));
    const [run] = sarif.runs;
    const [result] = run.results;
    expect(sarif.version).toBe('2.1.0');
    expect(run.tool.driver.rules[result.ruleIndex].id).toBe('conflict-markers');
    expect(result).toMatchObject({ ruleId: 'conflict-markers', level: 'error' });
    const { artifactLocation, region } = result.locations[0].physicalLocation;
    expect(artifactLocation.uri).toBe(GATEWAY);
    expect(region.startLine).toBeGreaterThan(1);
    const [issue] = JSON.parse(readFileSync(join(root, 'reports/quality.json'), 'utf-8'));
    expect(issue).toMatchObject({
      check_name: 'realtime-check/conflict-markers',
      severity: 'major',
      location: { path: GATEWAY, lines: { begin: region.startLine } },
    });
    expect(issue.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('annotates the lines of a pull request on GitHub, from the root of the repository', async () => {
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    vi.stubEnv('GITHUB_WORKSPACE', dirname(root));
    edit(GATEWAY, 'export class', '<<<<<<< yours\nexport class');
    const folder = root.split('/').at(-1);
    expect((await check()).out).toMatch(
      new RegExp(
        `^::error file=${folder}/${GATEWAY},line=\\d+,title=realtime-check%3A conflict-markers::Conflict markers [^\\n]+%0AFix: [^\\n]+$`,
        'm',
      ),
    );
  });
});

describe('--against', () => {
  it('passes what breaks nobody, and fails what does', async () => {
    commit();
    edit(DOMAIN, '"clientEvents": {}', '"clientEvents": { "chat.leave": { "payload": {} } }');
    const compatible = JSON.parse((await check({ json: true, against: 'main' })).out);
    expect(compatible.findings[0]).toMatchObject({ class: 'domain-changed' });
    expect(compatible.findings.at(-1)).toMatchObject({
      class: 'contract-changed',
      level: 'info',
      change: { rule: 'event-added', event: 'chat.leave' },
    });
    edit(DOMAIN, '"id": "string"', '"id": "uuid"');
    const { out, success } = await check({ against: 'HEAD' });
    expect(success).toBe(false);
    expect(out).toMatch(
      new RegExp(
        `^contract-broken {2}${DOMAIN}:\\d+\\n {2}"id" of "chat\\.posted" was string, is uuid: .* \\(since HEAD\\)$`,
        'm',
      ),
    );
  });

  it('fails when a domain is gone, and when it is gone with all others', async () => {
    commit();
    rmSync(join(root, 'apps/api-gateway/src/realtime'), { recursive: true });
    rmSync(join(root, '.nx-realtime'), { recursive: true });
    const { findings } = JSON.parse((await check({ json: true, against: 'main' })).out);
    expect(findings).toMatchObject([
      { class: 'contract-broken', change: { rule: 'domain-removed' } },
    ]);
  });

  it('reads a workspace that is a folder of its repository', async () => {
    root = join(root, 'frontend & co');
    cpSync(generated, root, { recursive: true });
    const repository = dirname(root);
    commit(repository);
    edit(DOMAIN, '"id": "string"', '"id": "uuid"');
    const { findings } = JSON.parse((await check({ json: true, against: 'main' })).out);
    expect(
      findings.filter((finding: { class: string }) => finding.class === 'contract-broken'),
    ).toMatchObject([{ path: DOMAIN, change: { rule: 'type-changed', field: 'id' } }]);
  });

  it('does not pass what it could not compare', async () => {
    edit(DOMAIN, '"id": "string"', '"id": "strin"');
    commit();
    edit(DOMAIN, '"id": "strin"', '"id": "string"');
    const { findings } = JSON.parse((await check({ json: true, against: 'main' })).out);
    expect(findings).toMatchObject([
      { class: 'contract-unreadable', level: 'error', path: DOMAIN },
    ]);
  });

  it.each([
    ['a ref that is not there', 'nowhere', /^RT071 --against=nowhere: git knows no commit/],
    ['a ref that is an option', '--all', /^RT071 --against=--all: git knows no commit/],
  ])('says what is wrong: %s', async (_, against, message) => {
    commit();
    const { success, err } = await check({ against });
    expect(success).toBe(false);
    expect(err).toMatch(message);
  });

  it('says that a clone is shallow', async () => {
    commit();
    git(root, 'tag', 'v1');
    commit();
    const clone = `${root}-clone`;
    git(temporary, 'clone', '--quiet', '--depth=1', '--no-tags', `file://${root}`, clone);
    root = clone;
    const { success, err } = await check({ against: 'v1' });
    expect(success).toBe(false);
    expect(err).toMatch(/^RT071 .*this clone is shallow.*fetch-depth: 0/);
  });

  it('says that there is no repository', async () => {
    vi.stubEnv('GIT_CEILING_DIRECTORIES', temporary);
    const { success, err } = await check({ against: 'main' });
    expect(success).toBe(false);
    expect(err).toMatch(/^RT070 .*git sees no repository/);
  });

  it('says that there is no git', async () => {
    vi.stubEnv('PATH', temporary);
    const { success, err } = await check({ against: 'main' });
    expect(success).toBe(false);
    expect(err).toMatch(/^RT070 .*needs git/);
  });
});
