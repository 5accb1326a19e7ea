import type { Tree } from '@nx/devkit';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostTree, snapshot } from '../../../test/support/host-tree.js';
import { mergeSyntax } from '../../reconcile/syntax/index.js';
import realtimeDomainGenerator from '../realtime-domain/generator.js';
import realtimeEventGenerator from '../realtime-event/generator.js';
import syncGenerator from '../sync/generator.js';
import rebaseGenerator from './generator.js';

const FOLDER = 'apps/api-gateway/src/realtime/notifications';
const DOMAIN = `${FOLDER}/notifications.domain.json`;
const SERVICE = `${FOLDER}/notifications.service.ts`;
const GATEWAY = `${FOLDER}/notifications.gateway.ts`;
const MODULE = 'apps/api-gateway/src/realtime/realtime.module.ts';
const CONTRACT = 'libs/realtime-contracts/src/notifications.contract.ts';
const HOOK = 'apps/web/src/features/notifications/realtime/use-notifications-socket.ts';

const folders = mkdtempSync(join(tmpdir(), 'teams-'));
let root: string;

afterAll(() => rmSync(folders, { recursive: true, force: true }));

/** A repository on which the tests of a block start: what `make` makes of it is made once. */
function startFrom(from: (() => string) | undefined, make: () => Promise<void>): () => string {
  let start: string;
  beforeAll(async () => {
    start = mkdtempSync(join(folders, 'start-'));
    root = start;
    if (from) cpSync(from(), root, { recursive: true });
    await make();
  });
  beforeEach(() => {
    root = mkdtempSync(join(folders, 'team-'));
    cpSync(start, root, { recursive: true });
  });
  return () => start;
}

/** A workspace with a domain. */
const generated = startFrom(undefined, async () => {
  git('init', '-q', '-b', 'main');
  git('config', 'user.email', 'team@example.com');
  git('config', 'user.name', 'Team');
  for (const [path, text] of snapshot(hostTree())) write(path, text);
  await run((tree) =>
    realtimeDomainGenerator(tree, { name: 'Notification', clientEvents: ['markRead{id}'] }),
  );
  commit('Generate Notification');
});

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function tryGit(...args: string[]): boolean {
  try {
    git(...args);
    return true;
  } catch {
    return false;
  }
}

function commit(message: string): void {
  git('add', '-A');
  git('commit', '-q', '-m', message);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function edit(path: string, from: string | RegExp, to: string): void {
  expect(read(path)).toMatch(from);
  write(path, read(path).replace(from, to));
}

async function run<T>(generator: (tree: Tree) => Promise<T>): Promise<T> {
  const tree = new FsTree(root, false);
  const result = await generator(tree);
  flushChanges(root, tree.listChanges());
  return result;
}

async function branch(name: string, work: () => Promise<void>): Promise<void> {
  git('checkout', '-q', '-b', name, 'main');
  await work();
  commit(`Work of ${name}`);
}

const addEvent = (event: string, direction: 'server' | 'client') => () =>
  run((tree) => realtimeEventGenerator(tree, { domain: 'Notification', event, direction })).then(
    () => undefined,
  );

/** The state of a file in the index that a merge left: 2 is ours, 3 theirs. */
function take(side: 'ours' | 'theirs', paths: readonly string[]): void {
  if (paths.length > 0) git('checkout', `--${side}`, '--', ...paths);
}

const unmerged = (): string[] =>
  git('diff', '--name-only', '--diff-filter=U').split('\n').filter(Boolean);

const resolveDomain = (): void => {
  const events = (ref: string) =>
    JSON.parse(git('show', `${ref}:${DOMAIN}`)) as Record<
      'serverEvents' | 'clientEvents',
      Record<string, Record<'payload', object>>
    >;
  const [one, two] = [events('one'), events('two')];
  const merged = {
    ...one,
    serverEvents: { ...one.serverEvents, ...two.serverEvents },
    clientEvents: { ...one.clientEvents, ...two.clientEvents },
  };
  write(DOMAIN, `${JSON.stringify(merged, null, 2)}\n`);
};

/** Both sides' code as a person puts it together: by syntax, every method once. */
function union(path: string, one: string, two: string): string {
  const base = git('show', `main:${path}`);
  const merged = mergeSyntax('file.ts', base, one, two);
  return merged?.conflicts === 0 ? merged.text : two;
}

/** After a merge: both events are everywhere, once, and the owners' edits are there. */
async function expectBoth(words: readonly string[], files: readonly string[]): Promise<void> {
  for (const file of files) {
    for (const word of words) expect(read(file), `${word} in ${file}`).toContain(word);
    expect(read(file), file).not.toMatch(/^(?:<{7}|>{7}) /m);
  }
  expect(await run(syncGenerator)).toEqual({});
}

const OWN = '    await this.own(payload);\n';

describe('two branches that each add a client event', () => {
  startFrom(generated, async () => {
    await branch('one', async () => {
      edit(SERVICE, / {4}\/\/ In place[^]*?;\n/, OWN);
      await addEvent('archive{id,reason}', 'client')();
    });
    await branch('two', async () => {
      await addEvent('mute{until:datetime}', 'client')();
      write(GATEWAY, `${read(GATEWAY)}// Ours, of two.\n`);
    });
    git('checkout', '-q', 'one');
  });

  const expectAll = async () => {
    await expectBoth(['rchive', 'ute'], [CONTRACT, SERVICE, GATEWAY, HOOK]);
    expect(read(SERVICE)).toContain(OWN);
    expect(read(GATEWAY)).toContain('// Ours, of two.');
    for (const method of ['archive', 'mute', 'markRead']) {
      expect(read(SERVICE).match(new RegExp(`async ${method}\\(`, 'g')), method).toHaveLength(1);
    }
  };

  it.each([
    ['code of ours, bases of ours', 'ours', 'ours'],
    ['code of theirs, bases of theirs', 'theirs', 'theirs'],
    ['code of theirs, bases of ours', 'theirs', 'ours'],
    ['code of ours, bases of theirs', 'ours', 'theirs'],
  ] as const)('end in both, when git is told: %s', async (_, code, bases) => {
    tryGit('merge', 'two');
    const conflicts = unmerged();
    expect(conflicts.length).toBeGreaterThan(0);
    const isBase = (path: string) => path.startsWith('.nx-realtime/');
    take(bases, conflicts.filter(isBase));
    take(
      code,
      conflicts.filter((path) => !isBase(path)),
    );
    resolveDomain();
    commit('Merge two');
    await run(syncGenerator);
    // What whole files of one side have lost of the other's own lines is git's doing.
    if (code === 'theirs' && !read(SERVICE).includes(OWN))
      edit(SERVICE, / {4}\/\/ In place[^]*?;\n/, OWN);
    if (!read(GATEWAY).includes('// Ours')) write(GATEWAY, `${read(GATEWAY)}// Ours, of two.\n`);
    await expectAll();
  });

  it('end in both, when each conflict is resolved to hold both', async () => {
    tryGit('merge', 'two');
    for (const path of unmerged()) {
      if (path.startsWith('.nx-realtime/')) take('ours', [path]);
      else if (path !== DOMAIN) {
        const [one, two] = ['one', 'two'].map((ref) => git('show', `${ref}:${path}`));
        write(path, union(path, one!, two!));
      }
    }
    resolveDomain();
    commit('Merge two');
    await run(syncGenerator);
    if (!read(GATEWAY).includes('// Ours')) write(GATEWAY, `${read(GATEWAY)}// Ours, of two.\n`);
    await expectAll();
  });

  it('end in both, when the bases are left as nobody wrote them, after rebase', async () => {
    tryGit('merge', '-X', 'ours', 'two');
    take('ours', unmerged());
    resolveDomain();
    for (const file of [SERVICE, CONTRACT, GATEWAY]) {
      write(
        `.nx-realtime/base/${file}.base`,
        `${read(`.nx-realtime/base/${file}.base`)}// wrong\n`,
      );
    }
    commit('Merge two');
    const before = read(SERVICE);
    await run(rebaseGenerator);
    expect(read(SERVICE)).toBe(before);
    await run(syncGenerator);
    if (!read(GATEWAY).includes('// Ours')) write(GATEWAY, `${read(GATEWAY)}// Ours, of two.\n`);
    await expectAll();
  });
});

describe('two branches', () => {
  it('that each add a domain end in both', async () => {
    const add = (name: string) => () =>
      run((tree) => realtimeDomainGenerator(tree, { name })).then(() => undefined);
    await branch('one', add('Chat'));
    await branch('two', add('Alert'));
    git('checkout', '-q', 'one');
    tryGit('merge', 'two');
    take('theirs', unmerged());
    commit('Merge two');
    await run(syncGenerator);
    await expectBoth(['ChatsGateway', 'AlertsGateway', 'NotificationsGateway'], [MODULE]);
  });

  it('that each add a field of one event end in both', async () => {
    await branch('one', addEvent('created{id,message,type,userId?,link}', 'server'));
    await branch('two', addEvent('created{id,message,type,userId?,icon}', 'server'));
    git('checkout', '-q', 'one');
    tryGit('merge', 'two');
    take('theirs', unmerged());
    edit(DOMAIN, '"icon": "string"', '"icon": "string",\n        "link": "string"');
    commit('Merge two');
    await run(syncGenerator);
    await expectBoth(['icon: z.string()', 'link: z.string()'], [CONTRACT]);
  });

  it('that each make an event do something to the list end in both', async () => {
    const change = (event: string, list: 'update' | 'remove') => () =>
      run((tree) => realtimeEventGenerator(tree, { domain: 'Notification', event, list })).then(
        () => undefined,
      );
    git('checkout', '-q', 'main');
    await addEvent('read{id,at}', 'server')();
    await addEvent('gone{id}', 'server')();
    commit('Two more events');
    await branch('one', change('read', 'update'));
    await branch('two', change('gone', 'remove'));
    git('checkout', '-q', 'one');
    tryGit('merge', 'two');
    const paths = unmerged();
    take('theirs', paths);
    take(
      'ours',
      paths.filter((path) => path.startsWith('.nx-realtime/base/')),
    );
    commit('Merge two');
    await run(syncGenerator);
    await expectBoth(["'notification.read': 'update'", "'notification.gone': 'remove'"], [HOOK]);
  });

  it('of which one renames an event that the other has filled in end in the name and the body', async () => {
    await branch('one', () =>
      run((tree) =>
        realtimeEventGenerator(tree, { domain: 'Notification', event: 'markRead', rename: 'seen' }),
      ).then(() => undefined),
    );
    await branch('two', async () => edit(SERVICE, / {4}\/\/ In place[^]*?;\n/, OWN));
    git('checkout', '-q', 'one');
    expect(tryGit('merge', 'two')).toBe(true);
    await run(syncGenerator);
    expect(read(SERVICE)).toContain(OWN);
    expect(read(SERVICE)).toMatch(/async seen\(/);
  });
});

describe('rebase', () => {
  it('does nothing where nothing is wrong', async () => {
    await run(rebaseGenerator);
    expect(git('status', '--porcelain')).toBe('');
  });

  it('gives back a base that was lost, so that the next change is merged', async () => {
    edit(SERVICE, / {4}\/\/ In place[^]*?;\n/, OWN);
    rmSync(join(root, '.nx-realtime/base'), { recursive: true });
    await run(rebaseGenerator);
    expect(existsSync(join(root, `.nx-realtime/base/${SERVICE}.base`))).toBe(true);
    await addEvent('archive{id}', 'client')();
    expect(read(SERVICE)).toContain(OWN);
    expect(read(SERVICE)).toMatch(/async archive\(/);
  });
});
