import { createHost, installPlugin, type Host } from './support/host';

const REALTIME = 'apps/api-gateway/src/realtime';
const CHECK = 'npx nx run api-gateway:realtime-check';
const PAGE = 'apps/web/src/app/inbox/page.tsx';
const INTERCEPTOR = 'apps/api-gateway/src/app/timing.interceptor.ts';

/** Where the code of a domain is, by its plural. */
const filesOf = (plural: string) => ({
  domain: `${REALTIME}/${plural}/${plural}.domain.json`,
  contract: `libs/realtime-contracts/src/${plural}.contract.ts`,
  hook: `apps/web/src/features/${plural}/realtime/use-${plural}-socket.ts`,
  store: `apps/web/src/features/${plural}/realtime/use-${plural}-store.ts`,
  gateway: `${REALTIME}/${plural}/${plural}.gateway.ts`,
  service: `${REALTIME}/${plural}/${plural}.service.ts`,
  consumer: `${REALTIME}/${plural}/${plural}-ws.consumer.ts`,
  consumerSpec: `${REALTIME}/${plural}/${plural}-ws.consumer.spec.ts`,
});

type Files = ReturnType<typeof filesOf>;

/** Where a server event is spoken of, and where a client event. */
const serverFiles = ({ domain, contract, hook, consumer, consumerSpec }: Files): string[] => [
  domain,
  contract,
  hook,
  consumer,
  consumerSpec,
];
const clientFiles = ({ domain, contract, hook, gateway, service }: Files): string[] => [
  domain,
  contract,
  hook,
  gateway,
  service,
];

/** Lines that the owner of the domain writes into each kind of file. */
const OWN: readonly (readonly [kind: keyof Files, ...lines: string[]])[] = [
  [
    'service',
    '  private readonly seen = new Set<string>();',
    '    this.seen.add(`${identity.userId} ${payload.notificationId}`);',
  ],
  [
    'gateway',
    "import { TimingInterceptor } from '../../app/timing.interceptor';",
    '@UseInterceptors(TimingInterceptor)',
  ],
  ['hook', "import { useDebugValue } from 'react';", '  useDebugValue(state.status);'],
  ['store', "  state.notifications.filter(({ type }) => type === 'alarm').length;"],
  ['consumerSpec', "// The owner's note on these tests."],
];

type Events = Record<string, { payload: Record<string, string>; list?: string }>;

interface DomainFile {
  namespace: string;
  serverEvents: Events;
  clientEvents: Events;
}

describe('the whole life of a domain', () => {
  let host: Host;
  let init: string;
  let files = filesOf('notifications');

  beforeAll(async () => {
    host = await createHost('integrated', 'lifecycle');
    init = await initialise(host);
  });

  const nx = (args: string): Promise<string> => host.run(`npx nx ${args}`);

  function edit(file: string, from: string | RegExp, to: string): void {
    const text = host.read(file);
    const next = text.replace(from, () => to);
    expect([file, next === text]).toEqual([file, false]);
    host.write(file, next);
  }

  const domainFile = (file: string): DomainFile => JSON.parse(host.read(file)) as DomainFile;

  function editDomain(file: string, change: (domain: DomainFile) => void): void {
    const domain = domainFile(file);
    change(domain);
    host.write(file, `${JSON.stringify(domain, null, 2)}\n`);
  }

  /** From 1. */
  const lineOf = (file: string, part: string): number =>
    host
      .read(file)
      .split('\n')
      .findIndex((line) => line.includes(part)) + 1;

  const holding = (word: string, paths: readonly string[]): string[] =>
    paths.filter((path) => host.read(path).includes(word));

  /** Every source file of the workspace; not the state of the plugin. */
  const sources = (): string[] =>
    host
      .git('ls-files', '--cached', '--others', '--exclude-standard', '--', 'apps', 'libs')
      .split('\n')
      .filter((path) => /\.(?:tsx?|json)$/.test(path) && host.has(path));

  /** Every line of the owner's once, in the words of the domain's name as it is now. */
  function expectOwn(): void {
    const plural = files.domain.includes('alerts') ? 'alerts' : 'notifications';
    for (const [kind, ...lines] of OWN) {
      const held = host.read(files[kind]).split('\n');
      const times = lines
        .map((line) => line.replace('state.notifications', `state.${plural}`))
        .map((line) => [line, held.filter((one) => one === line).length]);
      expect([files[kind], times]).toEqual([files[kind], times.map(([line]) => [line, 1])]);
    }
  }

  async function expectUpToDate(): Promise<void> {
    expect(await host.run(CHECK)).toContain('Realtime code is up to date');
    expect(host.status()).toEqual([]);
  }

  /** What a team makes of the generated code. */
  function fillIn(): void {
    const { service, gateway, hook, store, consumerSpec } = files;
    edit(service, /(?<=export class \w+ \{\n)/, `${OWN[0]?.[1]}\n\n`);
    edit(
      service,
      '    // In place of this line: what the event does.\n    void [payload, identity];',
      `${OWN[0]?.[2]}`,
    );
    edit(gateway, 'UseGuards }', 'UseGuards, UseInterceptors }');
    edit(gateway, /(?=import \{ WsAuthGuard)/, `${OWN[1]?.[1]}\n`);
    edit(gateway, /(?=^export class)/m, `${OWN[1]?.[2]}\n`);
    edit(hook, "'use client';\n\n", `'use client';\n\n${OWN[2]?.[1]}\n`);
    edit(hook, /(?=^ {2}return \{ \.\.\.state)/m, `${OWN[2]?.[2]}\n`);
    edit(store, /$/, `\nexport const alarms = (state: State): number =>\n${OWN[3]?.[1]}\n`);
    edit(consumerSpec, /^/, `${OWN[4]?.[1]}\n`);
    host.write(
      INTERCEPTOR,
      `import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { finalize } from 'rxjs/operators';

@Injectable()
export class TimingInterceptor implements NestInterceptor {
  lastMs = 0;

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const started = Date.now();
    return next.handle().pipe(finalize(() => (this.lastMs = Date.now() - started)));
  }
}
`,
    );
  }

  /** Code beside the generated: it imports all that a domain exports to the browser. */
  function addPage(): void {
    host.write(
      PAGE,
      `'use client';

import { useState } from 'react';
import type { NotificationCreated } from '@acme/realtime-contracts/notifications';
import { useChatsStore } from '../../features/chats/realtime/use-chats-store';
import { useNotificationsSocket } from '../../features/notifications/realtime/use-notifications-socket';
import { alarms, useNotificationsStore } from '../../features/notifications/realtime/use-notifications-store';

export default function Inbox() {
  const [last, setLast] = useState<NotificationCreated>();
  const socket = useNotificationsSocket({ onNotificationCreated: setLast });
  const loud = useNotificationsStore(alarms);
  const shown = useNotificationsStore((state) => state.byId.get(last?.id ?? ''));
  const chats = useChatsStore((state) => state.chats);
  const done = () => void socket.markRead({ notificationId: last?.id ?? '' });
  return <button onClick={done}>{\`\${shown?.message} \${loud} \${chats.length}\`}</button>;
}
`,
    );
  }

  it('leaves it byte-identical, edits and all, when another domain comes beside it', async () => {
    await nx(
      `g realtime-domain Notification --clientEvents='markRead{notificationId},archive{notificationId}'`,
    );
    host.commit('Generate Notification');
    fillIn();
    expectOwn();
    host.commit('The work of its owner');
    await nx(`g realtime-domain Chat --clientEvents='say{text}'`);
    expect(host.status().length).toBeGreaterThan(10);
    expect(host.status().filter((line) => /notification/i.test(line))).toEqual([]);
    addPage();
    host.commit('Generate Chat, and a page that shows both');
  });

  it('adds, changes, renames and removes an event, from the command line', async () => {
    await nx(`g realtime-event Notification 'read{id,userId}'`);
    await nx(`g realtime-event Notification 'withdrawn{id:uuid,reason?}' --list=remove`);
    // An item is what it was: the page that shows it is built at the end.
    expect(host.status().filter((line) => line.includes(files.store))).toEqual([]);
    expect(holding('notification.withdrawn', serverFiles(files))).toEqual(serverFiles(files));
    await nx(`g realtime-event notifications 'created{id,message,type,userId?,icon?}'`);
    expect(host.read(files.contract)).toContain('icon: z.optional(z.string())');
    const renamed = await nx('g realtime-event Notification markRead --rename=acknowledge');
    expect(holding('cknowledge', clientFiles(files))).toEqual(clientFiles(files));
    // Of which object a member is, only types tell: the line is named, and its owner changes it.
    expect(renamed).toContain(`${PAGE}:${lineOf(PAGE, 'socket.markRead')} `);
    edit(PAGE, 'socket.markRead', 'socket.acknowledge');
    await nx('g realtime-event Notification archive --remove');
    expect(holding('arkRead', sources())).toEqual([]);
    expect(holding('otificationArchive', sources())).toEqual([]);
    expect(holding('archive', clientFiles(files))).toEqual([]);
    expectOwn();
    host.commit('Other events');
  });

  it('does the same by an edit of the domain file and sync', async () => {
    editDomain(files.domain, (domain) => {
      delete domain.serverEvents['notification.withdrawn'];
      domain.serverEvents['notification.pinned'] = { payload: { item: 'uuid', title: 'string' } };
      domain.serverEvents['notification.opened'] = {
        payload: { id: 'uuid', openedAt: 'datetime' },
        list: 'update',
      };
      domain.clientEvents['notification.mute'] = { payload: { until: 'datetime' } };
      domain.clientEvents['notification.acknowledge']!.payload['note?'] = 'string';
    });
    expect((await host.tryRun('npx nx sync:check')).code).not.toBe(0);
    await nx('sync');
    expect(holding('otificationWithdrawn', sources())).toEqual([]);
    expect(holding('notification.withdrawn', sources())).toEqual([]);
    expect(holding('notification.pinned', serverFiles(files))).toEqual(serverFiles(files));
    expect(holding('mute', clientFiles(files))).toEqual(clientFiles(files));
    expect(host.read(files.contract)).toContain('note: z.optional(z.string())');
    edit(PAGE, '${shown?.message}', '${shown?.message} ${shown?.openedAt}');
    expectOwn();
    host.commit('Other events, by hand');
    await nx('sync:check');
  });

  it('marks what its owner wrote for an event that is removed, and waits for a decision', async () => {
    await nx('g realtime-event Notification acknowledge --remove');
    const conflict = /^<{7} yours\n([^]*?)^={7}\n[^]*?^>{7} nx-realtime\n/m;
    expect(conflict.exec(host.read(files.service))?.[1]).toContain('this.seen.add(');
    expect(host.read(files.gateway)).not.toContain('cknowledge');
    expect((await host.tryRun('npx nx sync')).output).toContain('RT022');
    const check = await host.tryRun(CHECK);
    expect(check.code).not.toBe(0);
    expect(check.output).toContain(`conflict-markers  ${files.service}:`);
    edit(files.service, conflict, '');
    expect(await host.run(CHECK)).toContain('Realtime code is up to date');
    host.git('reset', '--hard', '--quiet');
  });

  it('takes another name, and its files move with the edits in them', async () => {
    await nx('g realtime-domain Notification --rename=Alert');
    files = filesOf('alerts');
    expectOwn();
    expect(sources().filter((path) => path.includes('notification'))).toEqual([]);
    // The field of a payload is data, and so is what its owner calls it.
    const left = sources().flatMap((path) =>
      host
        .read(path)
        .split('\n')
        .filter((line) => /notification/i.test(line.replaceAll('notificationId', '')))
        .map((line) => `${path}: ${line}`),
    );
    expect(left).toEqual([]);
    host.commit('Alerts');
  });

  it('takes other flags', async () => {
    await nx('g realtime-domain Alert --namespace=/inbox');
    expect(host.status().filter((line) => /chat/i.test(line))).toEqual([]);
    expect(domainFile(files.domain).namespace).toBe('/inbox');
    expect(host.read(files.contract)).toContain("'/inbox'");
    expectOwn();
    host.commit('In the inbox');
    await expectUpToDate();
  });

  it('builds and passes its own tests after all that', async () => {
    await nx('run-many -t build test --projects=api-gateway,web');
    // Next.js writes this one itself, on every build.
    host.git('checkout', '--quiet', '--', 'apps/web/next-env.d.ts');
    expect(host.status()).toEqual([]);
  });

  describe('on two branches', () => {
    const chats = filesOf('chats');

    async function branch(name: string, command: string, work: () => void): Promise<void> {
      host.git('checkout', '--quiet', '-b', name, 'main');
      await nx(command);
      work();
      host.commit(`Work of ${name}`);
    }

    const member = (name: string): string => `  readonly ${name} = true;`;
    const addMember = (file: string, name: string): void =>
      edit(file, /(?<=^export class .*\{\n)/m, `${member(name)}\n\n`);

    beforeAll(async () => {
      await branch('one', `g realtime-event Alert 'snooze{id}' --direction=client`, () =>
        addMember(files.service, 'ofOne'),
      );
      await branch('two', `g realtime-event Alert 'forward{id,to}' --direction=client`, () =>
        addMember(files.gateway, 'ofTwo'),
      );
      await branch('three', `g realtime-event Chat 'closed{id}'`, () =>
        addMember(chats.consumer, 'ofThree'),
      );
    });

    it('ends in both events where git merges by itself', async () => {
      host.git('checkout', '--quiet', '-b', 'clean', 'one');
      host.git('merge', '--quiet', '--no-edit', 'three');
      await nx('sync');
      host.commit('Sync');
      expect(holding('snooze', clientFiles(files))).toEqual(clientFiles(files));
      expect(holding('chat.closed', serverFiles(chats))).toEqual(serverFiles(chats));
      expect(host.read(files.service)).toContain(member('ofOne'));
      expect(host.read(chats.consumer)).toContain(member('ofThree'));
      expectOwn();
      await expectUpToDate();
    });

    it.each(['ours', 'theirs'])(
      'ends in both events where what git cannot merge is resolved as %s',
      async (side) => {
        host.git('checkout', '--quiet', '-b', `resolved-${side}`, 'one');
        expect((await host.tryRun('git merge two')).code).not.toBe(0);
        const unmerged = host.git('diff', '--name-only', '--diff-filter=U').trim().split('\n');
        expect(unmerged).toEqual(
          expect.arrayContaining([files.domain, files.contract, files.service, files.gateway]),
        );
        host.git('checkout', `--${side}`, '--', ...unmerged);
        // The source of truth is what a person has to put together.
        const [one, two] = ['one', 'two'].map(
          (ref) => JSON.parse(host.git('show', `${ref}:${files.domain}`)) as DomainFile,
        );
        editDomain(files.domain, (domain) => {
          domain.clientEvents = { ...one?.clientEvents, ...two?.clientEvents };
        });
        host.commit('Merge two');
        const kept = {
          one: holding(member('ofOne'), [files.service]),
          two: holding(member('ofTwo'), [files.gateway]),
        };
        await nx('sync');
        host.commit('Sync');
        for (const event of ['snooze', 'forward']) {
          expect(holding(event, clientFiles(files))).toEqual(clientFiles(files));
          expect(host.read(files.service).split(`async ${event}(`)).toHaveLength(2);
          expect(
            host.read(files.gateway).split(`@SubscribeMessage('alert.${event}')`),
          ).toHaveLength(2);
        }
        expectOwn();
        // What a whole file of one side has lost of the other's is git's doing; sync loses nothing more.
        expect(holding(member('ofOne'), [files.service])).toEqual(kept.one);
        expect(holding(member('ofTwo'), [files.gateway])).toEqual(kept.two);
        await expectUpToDate();
      },
    );
  });

  describe('in the end', () => {
    beforeAll(() => {
      host.git('checkout', '--quiet', 'main');
    });

    it('is not removed while its owner has edits in it: they are listed', async () => {
      const { code, output } = await host.tryRun('npx nx g realtime-remove Alert');
      expect(code).not.toBe(0);
      expect(output).toContain('RT053');
      const listed = output
        .split('\n')
        .flatMap((line) => /^ {2}((?:apps|libs)\/\S+)$/.exec(line)?.[1] ?? []);
      expect(listed).toEqual(OWN.map(([kind]) => files[kind]).sort());
      expect(host.status()).toEqual([]);
    });

    it('is not removed while a page imports it: the line is named', async () => {
      const { code, output } = await host.tryRun('npx nx g realtime-remove Chat');
      expect(code).not.toBe(0);
      expect(output).toContain('RT055');
      expect(output).toContain(`${PAGE}:${lineOf(PAGE, 'use-chats-store')} `);
      expect(host.status()).toEqual([]);
    });

    it('leaves nothing behind when it is removed', async () => {
      host.git('rm', '--quiet', PAGE);
      await nx('g realtime-remove Chat');
      await nx('g realtime-remove Alert --force');
      host.git('rm', '--quiet', INTERCEPTOR);
      host.commit('Remove all');
      expectAsBefore(host, init);
    });
  });
});

it('leaves nothing of two domains behind in a workspace of the ts preset', async () => {
  const host = await createHost('ts', 'lifecycle-ts');
  const init = await initialise(host);
  await host.run(`npx nx g realtime-domain Notification --clientEvents='markRead{notificationId}'`);
  await host.run('npx nx g realtime-domain Chat --example --observability');
  host.commit('Generate Notification and Chat');
  await host.run('npx nx g realtime-remove Notification');
  expect(await host.run(CHECK)).toContain('Realtime code is up to date (1 domain).');
  await host.run('npx nx g realtime-remove Chat');
  host.commit('Remove both');
  expectAsBefore(host, init);
});

/** Installs the plugin. Returns the commit. */
async function initialise(host: Host): Promise<string> {
  await installPlugin(host);
  host.commit('Add the plugin');
  return host.git('rev-parse', 'HEAD').trim();
}

/** That the working tree is that of a commit, to the byte. */
function expectAsBefore(host: Host, commit: string): void {
  expect(host.git('diff', commit, '--', '.', ':!package-lock.json')).toBe('');
  // npm marks packages as optional that something optional has needed, and does not take it back.
  const lock = host.git('diff', '--unified=0', commit, '--', 'package-lock.json');
  const changed = lock.split('\n').filter((line) => /^[-+](?![-+])/.test(line));
  expect(changed.filter((line) => !/^[-+] +"dev(?:Optional)?": true,$/.test(line))).toEqual([]);
  const ignored = host.git('status', '--porcelain', '--ignored', '--untracked-files=all', 'apps');
  expect(ignored).not.toContain('.env');
}
