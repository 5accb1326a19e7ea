import { format as prettier } from 'prettier';
import type { Options } from 'prettier';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTemplates, render } from '../render/index.js';
import { domain, hostFacts } from '../../test/support/shapes.js';
import { normalizeLines } from './lines.js';
import { hashOf } from './manifest.js';
import { merge3 } from './merge.js';
import { planFile } from './plan.js';
import { isSound, parseSource } from './syntax/index.js';

/** Every file of the workspace by its name, rendered for these domains. */
function files(
  clientEvents: string[],
  serverEvents: string[],
  others: string[] = [],
  rooms = 'tenant',
) {
  const domains = [
    domain({ name: 'Notification', clientEvents, serverEvents, rooms }),
    ...others.map((name) => domain({ name })),
  ];
  const host = hostFacts({ solution: false, runner: 'jest' });
  const rendered = render(domains, host, loadTemplates());
  return new Map(rendered.map(({ path, content }) => [path.split('/').at(-1)!, content]));
}

const CLIENT = ['markRead{id}', 'archive{id}'];
const SERVER = ['created{id,message,userId?}', 'removed{id}'];
const BASE = files(CLIENT, SERVER);

const replaced = (name: string, from: RegExp | string, to: string) => {
  const next = new Map(BASE);
  expect(BASE.get(name)).toMatch(from);
  next.set(name, BASE.get(name)!.replace(from, to));
  return next;
};

/** Changes of the templates and of the domain. */
const CHANGES: Record<string, () => Map<string, string>> = {
  'a client event is added': () => files([...CLIENT, 'mute{until:datetime}'], SERVER),
  'a server event is added': () => files(CLIENT, [...SERVER, 'expired{id,userId}']),
  'a client event is removed': () => files(['markRead{id}'], SERVER),
  'a server event is removed': () => files(CLIENT, ['created{id,message,userId?}']),
  'payloads change': () =>
    files(
      ['markRead{id:uuid,at?:datetime}', 'archive{id,reason}'],
      ['created{id,text}', 'removed{id,userId}'],
    ),
  'another domain is added': () => files(CLIENT, SERVER, ['Chat', 'Alert']),
  'other rooms': () =>
    files(
      CLIENT,
      ['created{id,message,notificationId}', 'removed{notificationId,id}'],
      [],
      'resource',
    ),
  'a template gains a guard': () =>
    replaced(
      'notifications.gateway.ts',
      '@UseGuards(WsAuthGuard)',
      '@UseGuards(WsAuthGuard, OriginGuard)',
    ),
  'a template gains a provider': () =>
    replaced('realtime.module.ts', '[WsAuthGuard,', '[WsAuthGuard, OriginGuard,'),
  'a template has another body': () =>
    replaced(
      'notifications.service.ts',
      /void \[payload, identity\]/g,
      'void { payload, identity }',
    ),
};

interface Edit {
  readonly file: string;
  readonly edit: (text: string) => string | Promise<string>;
  /** Formatter of the host. */
  readonly style?: Options;
  /** Text that the result must hold; by default every line that the edit adds. */
  readonly holds?: readonly string[];
}

const SERVICE = 'notifications.service.ts';
const GATEWAY = 'notifications.gateway.ts';
const MODULE = 'realtime.module.ts';
const CONSUMER = 'notifications-ws.consumer.ts';
const SPEC = 'notifications.gateway.spec.ts';
const HOOK = 'use-notifications-socket.ts';
const CONTRACT = 'notifications.contract.ts';

const swap = (from: string | RegExp, to: string) => (text: string) => {
  const edited = text.replace(from, to);
  expect(edited, String(from)).not.toBe(text);
  return edited;
};
const all =
  (...edits: ((text: string) => string)[]) =>
  (text: string) =>
    edits.reduce((done, edit) => edit(done), text);
const IMPORT = swap(
  "from '@nestjs/common';\n",
  "from '@nestjs/common';\nimport { Repo } from '../../repo';\n",
);
const BODY = / {4}\/\/ In place of this line[^]*?;\n/;
/** Each text once: formatting is what takes long here. */
const cache = new Map<string, Promise<string>>();
const formatted = (style: Options) => (text: string) => {
  const key = JSON.stringify([style, text]);
  const held =
    cache.get(key) ?? prettier(text, { parser: 'typescript', singleQuote: true, ...style });
  cache.set(key, held);
  return held;
};

/** The method of a class that begins with this text, with the blank line above it. */
const method = (text: string, start: string): string => {
  const from = text.indexOf(`\n${start}`);
  return text.slice(from, text.indexOf('\n  }\n', from) + 5);
};

const EDITS: Record<string, Edit> = {
  'the first body filled in': {
    file: SERVICE,
    edit: swap(BODY, '    await this.repo.read(payload.id, identity.userId);\n'),
  },
  'the last body filled in': {
    file: SERVICE,
    edit: (text) => {
      const at = text.lastIndexOf('    // In place');
      return `${text.slice(0, at)}    await this.repo.archive(payload.id);\n${text.slice(text.indexOf('  }\n', at))}`;
    },
  },
  'a dependency injected': {
    file: SERVICE,
    edit: all(
      IMPORT,
      swap(/Service \{\n\n?/, 'Service {\n  constructor(private readonly repo: Repo) {}\n\n'),
    ),
  },
  'a method of its own at the end': {
    file: SERVICE,
    edit: swap(/}\n$/, '\n  private own(): number {\n    return 1;\n  }\n}\n'),
  },
  'a method of its own at the start': {
    file: SERVICE,
    edit: swap('  async markRead', '  own(): number {\n    return 1;\n  }\n\n  async markRead'),
  },
  'a method of its own between two': {
    file: SERVICE,
    edit: swap('\n  async archive', '\n  own(): number {\n    return 1;\n  }\n\n  async archive'),
  },
  'methods reordered': {
    file: SERVICE,
    edit: (text) => {
      const moved = method(text, '  async archive');
      return text.replace(moved, '').replace('\n  async markRead', `${moved}\n  async markRead`);
    },
    holds: ['async markRead'],
  },
  'a method moved and filled in': {
    file: SERVICE,
    edit: (text) => {
      const moved = method(text, '  async archive');
      const own = moved.replace(BODY, '    await this.repo.archive(payload.id);\n');
      return text.replace(moved, '').replace('\n  async markRead', `${own}\n  async markRead`);
    },
  },
  'a decorator on a method': {
    file: SERVICE,
    edit: swap('  async archive', '  @Audited()\n  async archive'),
  },
  'a comment on a method': {
    file: SERVICE,
    edit: swap('  async archive', '  // Also called by the cron job.\n  async archive'),
  },
  'JSDoc on a method': {
    file: SERVICE,
    edit: swap('  async archive', '  /** Also called by the cron job. */\n  async archive'),
  },
  'a decorator on the class': {
    file: SERVICE,
    edit: swap('@Injectable()', '@Audited()\n@Injectable()'),
  },
  'another doc comment of the class': {
    file: SERVICE,
    edit: swap('Business logic of client events.', 'All that our clients may ask for.'),
  },
  'a return value': {
    file: SERVICE,
    edit: swap('void [payload, identity];', 'return identity;'),
  },
  'a renamed variable': { file: SERVICE, edit: swap(/\bidentity\b/g, 'who') },
  'a renamed parameter': {
    file: SERVICE,
    edit: swap('identity: RealtimeIdentity', '{ tenantId }: RealtimeIdentity'),
  },
  'another return type': {
    file: SERVICE,
    edit: swap('Promise<void>', 'Promise<{ read: number }>'),
  },
  'a wrapped body': {
    file: SERVICE,
    edit: swap(
      BODY,
      '    try {\n      await this.repo.read(payload.id);\n    } catch (error) {\n      this.logger.error(error);\n    }\n',
    ),
  },
  'imports reordered': {
    file: SERVICE,
    edit: (text) => {
      const [first = '', ...rest] = text.split('\n');
      const at = rest.findIndex((line) => line.startsWith('import type { RealtimeIdentity'));
      return [...rest.slice(0, at + 1), first, ...rest.slice(at + 1)].join('\n');
    },
    holds: ['Injectable', 'RealtimeIdentity'],
  },
  'an import below the contract': {
    file: SERVICE,
    edit: swap("notifications';\n", "notifications';\nimport { Repo } from '../../repo';\n"),
  },
  'an import at the end': {
    file: SERVICE,
    edit: swap(
      "@nx-realtime/nest';\n",
      "@nx-realtime/nest';\nimport { Repo } from '../../repo';\n",
    ),
  },
  'a name added to an import': {
    file: SERVICE,
    edit: swap('{ Injectable }', '{ ForbiddenException, Injectable }'),
  },
  'a type of the contract imported': {
    file: SERVICE,
    edit: swap(/import type \{\n?/, 'import type { NotificationCreated, '),
    holds: ['NotificationCreated'],
  },
  'a function of its own below the class': {
    file: SERVICE,
    edit: (text) => `${text}\nexport function helper(): number {\n  return 1;\n}\n`,
  },
  'a constant above the class': {
    file: SERVICE,
    edit: swap('\n/**', '\nconst LIMIT = 10;\n\n/**'),
  },
  'a method split off into another file': {
    file: SERVICE,
    edit: (text) => text.replace(method(text, '  async archive'), ''),
    holds: ['async markRead'],
  },
  'a header comment': { file: SERVICE, edit: (text) => `// Copyright Acme.\n${text}` },
  CRLF: {
    file: SERVICE,
    edit: (text) =>
      swap(BODY, '    await this.repo.read(payload.id);\n')(text).replaceAll('\n', '\r\n'),
    holds: ['this.repo.read(payload.id)'],
  },
  'no newline at the end': {
    file: SERVICE,
    edit: (text) => swap(BODY, '    await this.repo.read(payload.id);\n')(text).trimEnd(),
  },
  'double quotes and tabs': {
    file: SERVICE,
    edit: formatted({ singleQuote: false, useTabs: true }),
    style: { singleQuote: false, useTabs: true },
    holds: [],
  },
  'no semicolons, wider, and filled in': {
    file: SERVICE,
    edit: (text) =>
      formatted({ semi: false, printWidth: 120 })(
        swap(BODY, '    await this.repo.read(payload.id);\n')(text),
      ),
    style: { semi: false, printWidth: 120 },
    holds: ['this.repo.read(payload.id)'],
  },
  'reformatted narrow, the host wide again': {
    file: MODULE,
    edit: formatted({ printWidth: 40 }),
    style: { printWidth: 100 },
    holds: [],
  },
  'a provider at the end': {
    file: MODULE,
    edit: swap('NotificationsService],', 'NotificationsService, OwnService],'),
    holds: ['OwnService'],
  },
  'a provider in the middle': {
    file: MODULE,
    edit: swap('[WsAuthGuard,', '[WsAuthGuard, OwnGuard,'),
    holds: ['OwnGuard'],
  },
  'a provider with a comment': {
    file: MODULE,
    edit: swap(
      /\[WsAuthGuard, (.+), NotificationsService\],/,
      '[\n    WsAuthGuard,\n    $1,\n    NotificationsService,\n    // Cleans up at night.\n    OwnService,\n  ],',
    ),
    holds: ['    // Cleans up at night.\n', 'OwnService'],
  },
  'a controller': {
    file: MODULE,
    edit: swap('[NotificationsWsConsumer]', '[NotificationsWsConsumer, OwnController]'),
    holds: ['OwnController'],
  },
  'an import of another module': {
    file: MODULE,
    edit: all(
      swap('    }),\n  ],\n', '    }),\n    OwnModule,\n  ],\n'),
      swap(
        "notifications.service';\n",
        "notifications.service';\nimport { OwnModule } from '../own/own.module';\n",
      ),
    ),
  },
  'another environment of the kernel': {
    file: MODULE,
    edit: swap("'api-gateway',\n", "'api-gateway',\n      env: { ...process.env, ...own },\n"),
  },
  'an export': {
    file: MODULE,
    edit: swap('],\n})', '],\n  exports: [OwnService],\n})'),
  },
  'a guard on the gateway': {
    file: GATEWAY,
    edit: swap('@UseGuards(WsAuthGuard)', '@UseGuards(WsAuthGuard, OwnGuard)'),
    holds: ['OwnGuard'],
  },
  'a guard on a handler': {
    file: GATEWAY,
    edit: swap(
      "  @SubscribeMessage('notification.archive')",
      "  @UseGuards(AdminGuard)\n  @SubscribeMessage('notification.archive')",
    ),
  },
  'a handler of its own': {
    file: GATEWAY,
    edit: swap(
      /}\n$/,
      "\n  @SubscribeMessage('own.ping')\n  ping(): string {\n    return 'pong';\n  }\n}\n",
    ),
  },
  'a hook of the gateway': {
    file: GATEWAY,
    edit: swap(') {}\n', ') {}\n\n  handleConnection(): void {\n    this.count += 1;\n  }\n'),
  },
  'a dependency of the gateway': {
    file: GATEWAY,
    edit: swap(
      /constructor\(([^)]*?),?\s*\) \{\}/,
      'constructor($1, private readonly own: Own) {}',
    ),
    holds: ['private readonly own: Own'],
  },
  'something before a broadcast': {
    file: CONSUMER,
    edit: swap('    this.clients.toTenant(', '    this.seen += 1;\n    this.clients.toTenant('),
  },
  'something after a broadcast': {
    file: CONSUMER,
    edit: swap(/(toTenant\([^]*?\);\n) {2}}\n}\n$/, '$1    this.seen += 1;\n  }\n}\n'),
  },
  'a handler deleted': {
    file: CONSUMER,
    edit: (text) => swap(/\n  @BrokerEvent\([^@]*removed[^]*?\n  }\n/, '')(text),
    holds: ['onNotificationCreated'],
  },
  'a test of its own': {
    file: SPEC,
    edit: swap(/}\);\n$/, "\n  it('is mine', () => {\n    expect(1).toBe(1);\n  });\n});\n"),
  },
  'a test deleted': {
    file: SPEC,
    edit: (text) => text.replace(/\n {2}it\('refuses an expired token'[^]*?\n {2}}\);\n/, ''),
    holds: ['refuses a foreign origin'],
  },
  'a helper above the tests': {
    file: SPEC,
    edit: swap('\ndescribe(', "\nconst NIGHT = 'night';\n\ndescribe("),
  },
  'a handler of its own in the hook': {
    file: HOOK,
    edit: swap(/\n}\n\n\/\*\* The conn/, '\n  onOwn?: () => void;\n}\n\n/** The conn'),
  },
  'a command of its own in the hook': {
    file: HOOK,
    edit: swap(
      /const commands = \{\n/,
      "const commands = {\n  own: () => Promise.resolve('own'),\n",
    ),
  },
  'a refinement of a schema': {
    file: CONTRACT,
    edit: swap('message: z.string()', 'message: z.string().check(z.maxLength(100))'),
    holds: ['.check(z.maxLength(100))'],
  },
  'a type of its own in the contract': {
    file: CONTRACT,
    edit: (text) => `${text}\nexport type Own = NotificationCreated & { own: true };\n`,
  },
};

interface Outcome {
  readonly kind: 'clean' | 'conflict';
  readonly lost: readonly string[];
  readonly isCode: boolean;
}

/** Lines that the edit put into the text, without their layout. */
function added(base: string, yours: string): string[] {
  const before = new Set(base.split('\n').map((line) => line.trim()));
  return normalizeLines(yours)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length > 3 && !before.has(line));
}

function outcome(
  path: string,
  base: string,
  yours: string,
  text: string,
  conflicts: number,
  holds?: readonly string[],
): Outcome {
  const lost = (holds ?? added(base, yours)).filter((line) => !text.includes(line));
  const source = conflicts > 0 ? null : parseSource(path, normalizeLines(text));
  return {
    kind: conflicts > 0 ? 'conflict' : 'clean',
    lost,
    isCode: conflicts > 0 || (source !== null && isSound(source)),
  };
}

describe('edits that owners make, each with every change of a template or a domain', () => {
  const lines: Outcome[] = [];
  const syntax: (Outcome & { name: string })[] = [];

  beforeAll(async () => {
    for (const [change, make] of Object.entries(CHANGES)) {
      const nexts = make();
      for (const [name, { file, edit, style, holds }] of Object.entries(EDITS)) {
        const base = BASE.get(file)!;
        const next = nexts.get(file)!;
        if (next === base) continue;
        const yours = await edit(base);
        const hash = { owner: 'merged' as const, hashes: [hashOf(base)], deleted: false };
        const plan = await planFile(
          { file: { path: file, content: next, owner: 'merged' }, yours, base, entry: hash },
          {},
          (_path, text) => formatted(style ?? {})(text).catch(() => null),
        );
        const byLines = merge3(base, yours, next);
        lines.push(outcome(file, base, yours, byLines.text, byLines.conflicts, holds));
        syntax.push({
          ...outcome(file, base, yours, plan.text ?? yours, plan.conflicts ?? 0, holds),
          name: `${name}, while ${change}`,
        });
      }
    }
  }, 120_000);

  const count = (outcomes: readonly Outcome[]) => ({
    clean: outcomes.filter(({ kind, isCode }) => kind === 'clean' && isCode).length,
    conflict: outcomes.filter(({ kind }) => kind === 'conflict').length,
    broken: outcomes.filter(({ isCode }) => !isCode).length,
  });

  it('are many', () => {
    expect(Object.keys(EDITS).length).toBeGreaterThanOrEqual(40);
  });

  it('lose nothing', () => {
    expect(syntax.filter(({ lost }) => lost.length > 0)).toEqual([]);
  });

  it('end in code that parses, with each name once, or in a conflict', () => {
    expect(syntax.filter(({ isCode }) => !isCode)).toEqual([]);
  });

  it('conflict more rarely than by lines', () => {
    const [byLines, bySyntax] = [count(lines), count(syntax)];
    expect(bySyntax.conflict).toBeLessThan(byLines.conflict * 0.6);
    expect(bySyntax.clean).toBeGreaterThan(byLines.clean);
  });

  it('conflict nowhere where something is added', () => {
    const conflicts = syntax.filter(({ kind }) => kind === 'conflict').map(({ name }) => name);
    const isAdded =
      /while (?:a client event|a server event|another domain) is added|gains a provider/;
    expect(conflicts.filter((name) => isAdded.test(name))).toEqual([]);
  });

  it('conflict where a handler that was filled in goes, or gets another body', () => {
    const conflicts = new Set(
      syntax.filter(({ kind }) => kind === 'conflict').map(({ name }) => name),
    );
    for (const name of [
      'the last body filled in, while a client event is removed',
      'a method moved and filled in, while a client event is removed',
      'a decorator on a method, while a client event is removed',
      'a comment on a method, while a client event is removed',
      'something after a broadcast, while a server event is removed',
      'the first body filled in, while a template has another body',
    ]) {
      expect(conflicts, name).toContain(name);
    }
  });
});
