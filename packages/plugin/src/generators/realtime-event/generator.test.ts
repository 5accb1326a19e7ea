import type { Tree } from '@nx/devkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { copies, hostTree, snapshot } from '../../../test/support/host-tree.js';
import realtimeDomainGenerator from '../realtime-domain/generator.js';
import syncGenerator from '../sync/generator.js';
import realtimeEventGenerator from './generator.js';
import type { RealtimeEventSchema } from './schema.js';

const REALTIME = 'apps/api-gateway/src/realtime';
const FOLDER = `${REALTIME}/notifications`;
const DOMAIN = `${FOLDER}/notifications.domain.json`;
const SERVICE = `${FOLDER}/notifications.service.ts`;
const GATEWAY = `${FOLDER}/notifications.gateway.ts`;
const CONSUMER = `${FOLDER}/notifications-ws.consumer.ts`;
const HOOK = 'apps/web/src/features/notifications/realtime/use-notifications-socket.ts';
const FEATURE = 'apps/web/src/features/notifications/realtime';
const STORE = `${FEATURE}/use-notifications-store.ts`;
const PROVIDER = `${FEATURE}/notifications-provider.tsx`;
const CONTRACT = 'libs/realtime-contracts/src/notifications.contract.ts';
const PAGE = 'apps/web/src/app/page.tsx';

let tree: Tree;

const generated = copies(async () => {
  const made = hostTree();
  await realtimeDomainGenerator(made, {
    name: 'Notification',
    clientEvents: ['markRead{notificationId}', 'archive{notificationId}'],
  });
  return made;
});

beforeEach(async () => {
  tree = await generated();
});

const change = (event: string, options: Partial<RealtimeEventSchema> = {}) =>
  realtimeEventGenerator(tree, { domain: 'Notification', event, ...options });

const read = (path: string): string => tree.read(path, 'utf-8') ?? '';
const domainFile = () =>
  JSON.parse(read(DOMAIN)) as Record<'serverEvents' | 'clientEvents', Record<string, object>>;

function replace(path: string, from: string, to: string): void {
  expect(read(path)).toContain(from);
  tree.write(path, read(path).replace(from, to));
}

const filesWith = (word: string): string[] =>
  [...snapshot(tree)]
    .filter(([path, text]) => !/^\.nx-realtime|\/core\//.test(path) && text.includes(word))
    .map(([path]) => path);

/** The owner's body of markRead, in place of the generated one. */
const OWN_BODY = '    await this.repository.markRead(payload.notificationId, identity.userId);\n';

function fillIn(): void {
  replace(
    SERVICE,
    '    // In place of this line: what the event does.\n    void [payload, identity];\n',
    OWN_BODY,
  );
}

describe('a new name that the owner has taken', () => {
  const own = (path: string, code: string): void => {
    const text = read(path);
    const end = text.lastIndexOf('}');
    tree.write(path, text.slice(0, end) + code + text.slice(end));
  };

  it.each([
    [
      'a method',
      SERVICE,
      '\n  async seen(id: string): Promise<void> {\n    await this.store(id);\n  }\n',
    ],
    ['a property', GATEWAY, '\n  private readonly seen = new Set<string>();\n'],
  ])('for %s is refused, and nothing is renamed', async (_name, path, code) => {
    own(path, code);
    const before = snapshot(tree);
    await expect(change('markRead', { rename: 'seen' })).rejects.toThrow(
      new RegExp(`^RT024 Nothing was renamed: .* under the new name\\..*\\n  ${path}$`),
    );
    expect(read(path)).toBe(before.get(path));
    await change('markRead', { rename: 'viewed' });
    expect(read(path)).toContain(code);
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('for a function of a file is refused too', async () => {
    tree.write(CONTRACT, `${read(CONTRACT)}\nexport const notificationSeenSchema = 1;\n`);
    await expect(change('markRead', { rename: 'seen' })).rejects.toThrow(
      /^RT024 Nothing was renamed/,
    );
  });
});

describe('a contract', () => {
  const classic = "import * as z from 'zod';\n";

  it('imports of zod what browsers drop where it is not used', () => {
    expect(read(CONTRACT)).toContain("import * as z from 'zod/mini';\n");
    expect(read(CONTRACT)).toContain('userId: z.optional(z.string()),');
  });

  it('chains methods of zod where its owner does, and keeps those that are of the owner', async () => {
    replace(CONTRACT, "import * as z from 'zod/mini';\n", classic);
    replace(CONTRACT, 'message: z.string(),', 'message: z.string().max(100),');
    await change('created{id,message,type,userId?,tags?:string[]}');
    expect(read(CONTRACT)).toContain(classic);
    expect(read(CONTRACT)).toContain('message: z.string().max(100),');
    expect(read(CONTRACT)).toContain('userId: z.string().optional(),');
    expect(read(CONTRACT)).toContain('tags: z.array(z.string()).optional(),');
    expect(read(CONTRACT)).not.toContain('<<<<<<<');
    await syncGenerator(tree);
    expect(read(CONTRACT)).toContain('userId: z.string().optional(),');
  });

  it('goes back to what browsers drop where its owner does', async () => {
    const before = read(CONTRACT);
    tree.write(CONTRACT, before.replace('zod/mini', 'zod'));
    await syncGenerator(tree);
    expect(read(CONTRACT)).toContain('userId: z.string().optional(),');
    tree.write(CONTRACT, read(CONTRACT).replace("'zod'", "'zod/mini'"));
    await syncGenerator(tree);
    expect(read(CONTRACT)).toBe(before);
  });
});

describe('adding', () => {
  it.each(['Notification', 'notifications', 'NOTIFICATION', 'notification'])(
    'brings a server event everywhere, in the domain named %s',
    async (domain) => {
      await change('removed{id:uuid,reason?}', { domain });
      expect(domainFile().serverEvents['notification.removed']).toEqual({
        payload: { id: 'uuid', 'reason?': 'string' },
        audience: { to: 'tenant' },
        list: 'none',
      });
      for (const path of [CONTRACT, CONSUMER, CONSUMER.replace('.ts', '.spec.ts'), HOOK]) {
        expect(read(path), path).toContain("'notification.removed'");
      }
      expect(await syncGenerator(tree)).toEqual({});
    },
  );

  it('brings a client event to gateway, service and hook', async () => {
    await change('mute{until:datetime}', { direction: 'client' });
    for (const path of [CONTRACT, GATEWAY, SERVICE, HOOK]) expect(read(path)).toContain('mute');
    expect(read(CONSUMER)).not.toContain('mute');
  });

  it('states an audience of its own', async () => {
    await change('warned{id,userId}', { audience: 'tenant' });
    await change('sent{id,to?}', { field: 'to', otherwise: 'tenant' });
    const { serverEvents } = domainFile();
    expect(serverEvents['notification.warned']).toMatchObject({ audience: { to: 'tenant' } });
    expect(serverEvents['notification.sent']).toMatchObject({
      audience: { to: 'user', field: 'to', otherwise: 'tenant' },
    });
  });

  it('is refused for a domain that is not there, naming those that are', async () => {
    await expect(change('x', { domain: 'Order' })).rejects.toThrow(/^RT050 .*Notification\./);
  });
});

describe('changing', () => {
  it('takes a new payload, and its audience with it where that was the default', async () => {
    await change('created{id,text}');
    expect(domainFile().serverEvents['notification.created']).toEqual({
      payload: { id: 'string', text: 'string' },
      audience: { to: 'tenant' },
      list: 'add',
    });
    await change('created{id,text,userId}');
    expect(domainFile().serverEvents['notification.created']).toMatchObject({
      audience: { to: 'user', field: 'userId' },
    });
  });

  it('keeps the payload where only the audience is given', async () => {
    await change('created', { audience: 'tenant' });
    expect(domainFile().serverEvents['notification.created']).toMatchObject({
      payload: { id: 'string', 'userId?': 'string' },
      audience: { to: 'tenant' },
    });
    expect(read(CONSUMER)).not.toContain('requireRecipient');
  });

  it('keeps an audience that its owner stated', async () => {
    await change('created', { audience: 'tenant' });
    await change('created{id,userId?}');
    expect(domainFile().serverEvents['notification.created']).toMatchObject({
      audience: { to: 'tenant' },
    });
  });

  it('keeps a body that its owner wrote', async () => {
    fillIn();
    await change('markRead{notificationId:uuid,at:datetime}');
    expect(read(SERVICE)).toContain(OWN_BODY);
    expect(read(CONTRACT)).toContain('at: z.iso.datetime');
  });

  it.each([
    ['RT052', 'created', { direction: 'client' as const }],
    ['RT052', 'markRead', { direction: 'server' as const }],
    ['RT052', 'created', { remove: true, rename: 'x' }],
    ['RT052', 'a,b', {}],
    ['RT052', 'x', { direction: 'client' as const, audience: 'user' as const }],
    ['RT051', 'nope', { remove: true }],
    ['RT051', 'nope', { rename: 'x' }],
    ['RT004', 'archive', { rename: 'markRead' }],
    ['RT004', 'archive', { rename: 'created' }],
    ['RT002', 'created{id message}', {}],
    ['RT002', 'created', { rename: 'a b' }],
    ['RT007', 'created', { audience: 'resource' as const }],
  ])('is refused with %s and writes nothing: %s %j', async (code, event, options) => {
    const before = snapshot(tree);
    await expect(change(event, options)).rejects.toThrow(new RegExp(`^${code} `));
    expect(snapshot(tree)).toEqual(before);
  });

  it('is refused where a file cannot follow the new name, and writes nothing', async () => {
    tree.write(GATEWAY, `<<<<<<< yours\n=======\n>>>>>>> nx-realtime\n${read(GATEWAY)}`);
    const before = snapshot(tree);
    const refused = change('markRead', { rename: 'acknowledge' });
    await expect(refused).rejects.toThrow(new RegExp(`^RT024 [^]*${GATEWAY}$`));
    expect(snapshot(tree)).toEqual(before);
  });
});

describe('the list', () => {
  it('stays what it is when another event with an id comes', async () => {
    const held = [STORE, PROVIDER].map(read);
    await change('read{id,userId}');
    expect([STORE, PROVIDER].map(read)).toEqual(held);
    expect(read(HOOK)).toContain('onNotificationRead?');
    expect(read(HOOK)).not.toContain("'notification.read': '");
  });

  it('follows what events are said to do to it, with the type of its items', async () => {
    await change('read{id,userId,readAt:datetime}', { list: 'update' });
    await change('removed{id:uuid}', { list: 'remove' });
    expect(read(HOOK)).toContain("    'notification.read': 'update',\n");
    expect(read(HOOK)).toContain("    'notification.removed': 'remove',\n");
    expect(read(STORE)).toContain("  readAt?: NotificationRead['readAt'] | undefined;\n}");
    await change('read', { list: 'none' });
    expect(read(HOOK)).not.toContain("'update'");
    expect(read(STORE)).toContain('export type ListedNotification = NotificationCreated;');
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('goes with the event that adds to it, unless another needs it', async () => {
    await change('read{id,userId}', { list: 'update' });
    const before = snapshot(tree);
    await expect(change('created', { remove: true })).rejects.toThrow(
      /^RT007 .*notification\.read/,
    );
    expect(snapshot(tree)).toEqual(before);
    await change('read', { list: 'none' });
    await change('created', { remove: true });
    expect(tree.exists(STORE)).toBe(false);
    expect(read(HOOK)).not.toContain('Store');
    expect(read(PROVIDER)).toContain('  useNotificationsSocket();');
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('keeps what its owner wrote beside it, also the number of its items', async () => {
    replace(STORE, 'max: 200', 'max: 500');
    const own = '\nexport const count = (state: State) => state.notifications.length;\n';
    tree.write(STORE, read(STORE) + own);
    await change('read{id,readAt}', { list: 'update' });
    await change('created', { rename: 'posted' });
    expect(read(STORE)).toContain('interface ListedNotification extends NotificationPosted {');
    expect(read(STORE)).toContain('max: 500');
    expect(read(STORE).endsWith(own)).toBe(true);
  });
});

describe('renaming', () => {
  it('leaves the old name nowhere, and the place in the domain file as it is', async () => {
    await change('markRead', { rename: 'acknowledge' });
    expect(Object.keys(domainFile().clientEvents)).toEqual([
      'notification.acknowledge',
      'notification.archive',
    ]);
    expect(filesWith('markRead')).toEqual([]);
    expect(filesWith('MarkRead')).toEqual([]);
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('gives the same as generating under the new name', async () => {
    await change('markRead', { rename: 'acknowledge' });
    const other = hostTree();
    await realtimeDomainGenerator(other, {
      name: 'Notification',
      clientEvents: ['acknowledge{notificationId}', 'archive{notificationId}'],
    });
    const code = (of: Tree) =>
      [...snapshot(of)].filter(([path]) => !path.endsWith('.env.local') && path !== 'package.json');
    expect(code(tree)).toEqual(code(other));
  });

  it('moves a body that its owner wrote, and whatever calls it', async () => {
    fillIn();
    replace(SERVICE, '  async archive(', '  /** For the cron job. */\n  async archive(');
    tree.write(
      SERVICE,
      read(SERVICE).replace(
        /}\n$/,
        `
  async markAll(list: NotificationMarkRead[], who: RealtimeIdentity): Promise<void> {
    for (const one of list) await this.markRead(one, who);
  }
}
`,
      ),
    );
    await change('markRead', { rename: 'acknowledge' });
    const service = read(SERVICE);
    expect(service).not.toContain('<<<<<<<');
    expect(service).toMatch(/async acknowledge\(/);
    expect(service).not.toMatch(/async markRead\(/);
    // What is the owner's keeps its name; what was generated has the new one there too.
    expect(service).toContain(OWN_BODY);
    expect(service).toContain('async markAll(list: NotificationAcknowledge[]');
    expect(service).toContain('await this.acknowledge(one, who)');
    expect(service).toContain('/** For the cron job. */');
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('follows an event whose key is edited in the domain file', async () => {
    fillIn();
    tree.write(DOMAIN, read(DOMAIN).replace('"notification.markRead"', '"notification.seen"'));
    const { outOfSyncDetails } = await syncGenerator(tree);
    expect(outOfSyncDetails).toContain('renamed notification.markRead to notification.seen');
    expect(read(SERVICE)).toMatch(/async seen\(/);
    expect(read(SERVICE)).toContain(OWN_BODY);
    expect(read(SERVICE)).not.toContain('<<<<<<<');
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('makes code follow that uses the contract, the hook and the event', async () => {
    const page = (event: string, type: string, handler: string) =>
      `'use client';
import type { ${type} } from '@proj/realtime-contracts/notifications';
import { useNotificationsSocket } from '../features/notifications/realtime/use-notifications-socket';

export function Page() {
  const show = (event: ${type}) => alert(event.id);
  useNotificationsSocket({ ${handler}: show });
  return <p>{'${event}'}</p>;
}
`.replace('@proj', scope());
    tree.write(PAGE, page('notification.created', 'NotificationCreated', 'onNotificationCreated'));
    await change('created', { rename: 'added' });
    expect(read(PAGE)).toBe(page('notification.added', 'NotificationAdded', 'onNotificationAdded'));
  });
});

const scope = (): string => /'(@\w+)\/realtime-contracts/.exec(read(SERVICE))?.[1] ?? '';

describe('removing', () => {
  it('leaves no trace of an event whose handler was not touched', async () => {
    await change('markRead', { remove: true });
    expect(filesWith('markRead')).toEqual([]);
    expect(filesWith('MarkRead')).toEqual([]);
    expect(filesWith('<<<<<<<')).toEqual([]);
  });

  it('marks a handler that its owner filled in', async () => {
    fillIn();
    await change('markRead', { remove: true });
    const service = read(SERVICE);
    expect(service).toContain('<<<<<<< yours');
    expect(service).toContain(OWN_BODY);
    expect(read(GATEWAY)).not.toContain('markRead');
    await expect(syncGenerator(tree)).rejects.toThrow(/^RT022 .*\n.*notifications\.service\.ts/);
  });

  it('removes the files that the last event of its kind leaves without a purpose', async () => {
    for (const event of ['markRead', 'archive']) await change(event, { remove: true });
    expect(tree.exists(SERVICE)).toBe(false);
    expect(read(`${REALTIME}/realtime.module.ts`)).not.toContain('NotificationsService');
    await change('created', { remove: true });
    expect(tree.exists(CONSUMER)).toBe(false);
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('leaves a service that its owner edited, when its last event goes', async () => {
    fillIn();
    const service = read(SERVICE);
    for (const event of ['archive', 'markRead']) await change(event, { remove: true });
    expect(read(SERVICE)).toContain(OWN_BODY);
    expect(service).toContain(OWN_BODY);
  });

  it('gives what was there before the event was added', async () => {
    const code = () => [...snapshot(tree)].filter(([path]) => path !== 'package.json');
    const before = code();
    await change('removed{id,userId}');
    await change('mute', { direction: 'client' });
    await change('removed', { remove: true });
    await change('mute', { remove: true });
    expect(code()).toEqual(before);
  });
});
