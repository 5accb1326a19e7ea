import type { Tree } from '@nx/devkit';
import { describe, expect, it } from 'vitest';
import { hostTree } from '../../test/support/host-tree.js';
import { HostProjects, detectHost, hostDomains } from '../host/index.js';
import type { HostDomain } from '../host/index.js';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import type { RealtimeDomainSchema } from '../generators/realtime-domain/schema.js';
import { domainSteps } from './next-steps.js';

const FOLDER = 'apps/api-gateway/src/realtime/notifications';

const domainOf = (tree: Tree): HostDomain => hostDomains(tree, new HostProjects(tree))[0]!;

/** Report after each of these runs in one workspace. */
async function said(
  runs: readonly Partial<RealtimeDomainSchema>[],
  edit: (tree: Tree) => void = () => undefined,
): Promise<string[]> {
  const tree = hostTree();
  const reports: string[] = [];
  let before: HostDomain | undefined;
  for (const options of runs) {
    const isThere = tree.exists.bind(tree);
    const store = 'apps/web/src/stores/auth.store.ts';
    const hadStore = isThere(store);
    await realtimeDomainGenerator(tree, { name: 'Notification', ...options });
    const { domain } = domainOf(tree);
    const host = detectHost(tree, new HostProjects(tree), [domain]);
    const files = hadStore
      ? []
      : [{ path: store, outcome: 'created' as const, written: true, conflicts: 0 }];
    reports.push(domainSteps(tree, { domain, before: before?.domain, host, files }));
    before = domainOf(tree);
    edit(tree);
  }
  return reports;
}

/** Rows that it takes in a terminal of 80 columns. */
const rows = (text: string): number =>
  text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 80)), 0);

const LARGE = {
  rooms: 'resource' as const,
  example: true,
  serverEvents: [1, 2, 3, 4, 5, 6, 7].map(
    (n) => `changed${n}{id,notificationId,message,at:datetime}`,
  ),
  clientEvents: [1, 2, 3, 4, 5, 6, 7].map((n) => `mark${n}{notificationId,reason?}`),
};

describe('the report of a new domain', () => {
  it('says what was understood, how to see it, and what is to be filled in', async () => {
    const [report] = await said([{ clientEvents: ['markRead{at:datetime,ids:uuid[]}'] }]);
    expect(report!.split('\n')).toEqual([
      '',
      'Notification is on http://localhost:3333/notifications, rooms: tenant',
      'The server sends:',
      '  notification.created{id,message,type,userId?} -> user in userId, else tenant',
      'Clients send:',
      '  notification.markRead{at:datetime,ids:uuid[]}',
      `Yours to fill in, in ${FOLDER}:`,
      '  notifications.service.ts  what client events do',
      'Call setAccessToken of apps/web/src/stores/auth.store.ts after sign-in.',
      'See it work:',
      '  npx nx serve api-gateway',
      '  npx nx dev web  http://localhost:3000',
      '  npx nx-realtime token  to sign in with',
      '  npx nx-realtime emit notification.created --id=1 --message=hi --type=info',
      '  npx nx g realtime-domain Notification --example  adds a page that shows it',
      'Env files: apps/api-gateway/.env.local, apps/web/.env.local (a new clone: npx nx-realtime env)',
    ]);
  });

  it('names first what denies everybody until it is filled in', async () => {
    const [report] = await said([{ rooms: 'resource', clientEvents: ['markRead{id}'] }]);
    expect(report).toContain(
      `${FOLDER}:\n  notifications.policy.ts  who may subscribe: nobody until you decide\n  notifications.service.ts`,
    );
  });

  it('names the page of the example', async () => {
    const [report] = await said([{ example: true }]);
    expect(report).toContain('open http://localhost:3000/realtime-example/notifications');
    expect(report).not.toContain('--example');
  });

  it.each([{}, { web: 'none' }, LARGE])('fits one screen: %j', async (options) => {
    const [report] = await said([options]);
    expect(rows(report!), report).toBeLessThanOrEqual(24);
  });
});

describe('the report of a later run', () => {
  const fillIn = (tree: Tree): void => {
    const path = `${FOLDER}/notifications.service.ts`;
    const text = tree.read(path, 'utf-8') ?? '';
    tree.write(path, text.replace(/\n}\n$/, '\n\n  // Mine.\n  private readonly own = 1;\n}\n'));
  };

  it('names only what is still as generated', async () => {
    const run = { rooms: 'resource' as const, clientEvents: ['markRead{id}'] };
    const [, later] = await said([run, {}], fillIn);
    expect(later!.trim().split('\n')).toEqual([
      'Notification is on http://localhost:3333/notifications, rooms: resource',
      `Yours to fill in, in ${FOLDER}:`,
      '  notifications.policy.ts  who may subscribe: nobody until you decide',
    ]);
  });

  it('names events that are new or changed, and the file that handles them', async () => {
    const [, later] = await said(
      [{ clientEvents: ['markRead{id}'] }, { clientEvents: ['archive{id}'] }],
      fillIn,
    );
    expect(later!.trim().split('\n').slice(1)).toEqual([
      'Clients send:',
      '  notification.archive{id}',
      `Yours to fill in, in ${FOLDER}:`,
      '  notifications.service.ts  what client events do',
    ]);
  });
});

it('has Nx list what matters after the state', async () => {
  const tree = hostTree();
  await realtimeDomainGenerator(tree, { name: 'Notification' });
  const paths = tree.listChanges().map(({ path }) => path);
  const sources = paths.filter((path) => /^(?:apps|libs)\/.*realtime.*\.tsx?$/.test(path));
  const first = paths.indexOf(sources[0]!);
  const states = paths.filter((path) => path.startsWith('.nx-realtime/'));
  expect(states.length).toBeGreaterThan(10);
  // But for the domain file's own, which is written last.
  expect(states.filter((path) => paths.indexOf(path) > first)).toHaveLength(1);
});
