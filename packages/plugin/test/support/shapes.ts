import { draftDomain } from '../../src/domain/index.js';
import type { Domain, DomainOptions } from '../../src/domain/index.js';
import type { AppFacts, HostFacts, TestRunner } from '../../src/host/index.js';
import { loadTemplates, render } from '../../src/render/index.js';
import type { RenderedFile } from '../../src/render/index.js';

/** A kind of host with the domains that are rendered into it. */
export interface Shape {
  readonly name: string;
  readonly host: HostFacts;
  readonly domains: readonly Domain[];
  /** What the host has by itself, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A RequestContextService as a host may have it, made available to every module. */
export const HOST_CONTEXT = `import { AsyncLocalStorage } from 'node:async_hooks';
import { Global, Injectable, Module } from '@nestjs/common';

@Injectable()
export class RequestContextService {
  private readonly storage = new AsyncLocalStorage<{ tenantId?: string | undefined }>();

  get tenantId(): string | undefined {
    return this.storage.getStore()?.tenantId;
  }

  run<T>(context: { tenantId?: string | undefined }, work: () => T): T {
    return this.storage.run(context, work);
  }
}

@Global()
@Module({ providers: [RequestContextService], exports: [RequestContextService] })
export class RequestContextModule {}
`;

export const domain = (options: DomainOptions): Domain => ({
  ...draftDomain(options, null),
  app: 'api-gateway',
  web: options.web === 'none' ? null : 'web',
});

const notification = domain({ name: 'Notification', clientEvents: ['markRead{notificationId}'] });
const chat = domain({
  name: 'Chat',
  serverEvents: [
    'message.posted{id:uuid,text,room,at:datetime,tags?:string[]}',
    'message.edited{id:uuid,text?,editedAt:datetime}',
    'message.deleted{id}',
    'chat.cleared',
  ],
  list: ['message.edited:update', 'message.deleted:remove'],
  clientEvents: ['say{room,text,mood?:enum(happy|sad)}', 'leave'],
});

/** Whose list all kinds of events change, in more than one way each. */
export const ticket = domain({
  name: 'Ticket',
  serverEvents: [
    'drafted{id,title}',
    'opened{id,title,state:enum(open|closed),estimate?:number}',
    'imported{id:uuid,title,state:enum(open),source?,labels:string[]}',
    'assigned{id,assignee:uuid,at?:datetime}',
    'changed{id:uuid,title?,estimate?:integer,at?,extra:json}',
    'closed{id:uuid,reason?}',
    'merged{id,into}',
  ],
  list: [
    'drafted:none',
    'opened:add',
    'imported:add',
    'assigned:update,changed:update',
    'closed:remove',
    'ticket.merged:remove',
  ],
});

/** Every name that has been seen to break generated code somewhere. */
const HARD_NAMES = [
  'ActivityFeed',
  'News',
  'Person',
  'Status',
  'order-line',
  'API',
  'Class',
  'Map',
  'Event',
  'Promise',
  'constructor',
  'Socket',
  'Error',
];

const hard = HARD_NAMES.map((name, index) =>
  domain({
    name,
    serverEvents: [
      'created{id,userId?,mood:enum(a|b)}',
      'changed{n:number,i?:integer,b:boolean,j:json}',
      'gone',
    ],
    clientEvents: ['delete{id}', 'status', 'constructor{class:string}'],
    ...(index % 2 === 0 ? {} : { rooms: 'user', serverEvents: ['created{id,userId}'] }),
  }),
);

const imports = domain({
  name: 'Import',
  serverEvents: ['create.element{id}', 'render.hook{id}', 'event.handler'],
  clientEvents: ['use.channel{id}'],
});

const rooms = [
  domain({
    name: 'Document',
    rooms: 'resource',
    serverEvents: ['changed{documentId,text}', 'shared{userId}', 'moved{resourceId:uuid,to}'],
    clientEvents: ['edit{documentId,text}'],
  }),
  domain({ name: 'Board', rooms: 'resource' }),
  { ...domain({ name: 'Topic', rooms: 'resource' }), serverEvents: [] },
  domain({ name: 'Region', rooms: 'custom', clientEvents: ['ping'] }),
  domain({
    name: 'Team',
    rooms: 'custom',
    serverEvents: ['joined{room:uuid,name}', 'left{userId?}'],
  }),
];

/** What Next.js declares in a host. */
export const CSS_MODULES = {
  'apps/web/css-modules.d.ts':
    "declare module '*.module.css' {\n  const classes: { readonly [name: string]: string };\n  export default classes;\n}\n",
};

/** A web app of each kind, as Nx makes them: where it lies and what wraps its pages. */
const WEB = {
  app: {
    sourceRoot: 'apps/web/src',
    framework: 'next',
    devTarget: 'dev',
    origin: 'http://localhost:3000',
    entries: [{ path: 'apps/web/src/app/layout.tsx', kind: 'layout' }],
  },
  pages: {
    sourceRoot: 'apps/web/src',
    framework: 'next',
    devTarget: 'dev',
    origin: 'http://localhost:3000',
    entries: [{ path: 'apps/web/src/pages/_app.tsx', kind: '_app' }],
  },
  bare: {
    sourceRoot: 'apps/web',
    framework: 'next',
    devTarget: 'dev',
    origin: 'http://localhost:3000',
    entries: [{ path: 'apps/web/pages/_app.tsx', kind: '_app' }],
  },
  vite: {
    sourceRoot: 'apps/web/src',
    framework: 'vite',
    devTarget: 'dev',
    origin: 'http://localhost:4200',
    entries: [{ path: 'apps/web/src/main.tsx', kind: 'main' }],
  },
} as const;

export const SHAPES: readonly Shape[] = [
  {
    name: 'integrated',
    host: hostFacts({ solution: false, runner: 'jest', publishers: ['orders'] }),
    domains: [notification, { ...chat, example: true }],
    files: CSS_MODULES,
  },
  {
    name: 'solution',
    host: hostFacts({ solution: true, runner: 'vitest', scope: 'acme-ts' }),
    domains: [domain({ name: 'Notification' })],
  },
  {
    name: 'pages',
    host: hostFacts({ solution: false, runner: 'jest', web: 'pages', chained: ['chats'] }),
    domains: [notification, { ...chat, example: true }],
    files: CSS_MODULES,
  },
  {
    name: 'vite',
    host: hostFacts({ solution: false, runner: 'vitest', web: 'vite' }),
    domains: [notification, { ...chat, example: true }],
  },
  {
    name: 'observed',
    host: hostFacts({ solution: false, runner: 'jest', web: false, scope: 'observed' }),
    domains: [
      domain({ name: 'Notification', web: 'none', observability: true }),
      domain({ name: 'Chat', web: 'none', rooms: 'resource' }),
    ],
  },
];

/** Rendered and type-checked, not stored: what no host has all at once. */
export const HARD_SHAPES: readonly Shape[] = [
  {
    name: 'names',
    host: hostFacts({ solution: false, runner: 'jest', scope: 'names', publishers: ['orders'] }),
    domains: [...hard, imports].map((one) => ({ ...one, example: true })),
    files: CSS_MODULES,
  },
  {
    name: 'bare',
    host: hostFacts({ solution: false, runner: 'jest', web: 'bare', scope: 'bare' }),
    domains: [notification, ticket].map((one) => ({ ...one, example: true })),
    files: CSS_MODULES,
  },
  {
    name: 'vite-jest',
    host: hostFacts({ solution: false, runner: 'jest', web: 'vite', scope: 'vite-jest' }),
    domains: [...rooms, ticket].map((one) => ({ ...one, example: true })),
  },
  {
    name: 'esm',
    host: hostFacts({
      solution: true,
      runner: 'vitest',
      esm: true,
      scope: 'esm',
      chained: ['chats'],
      publishers: ['api-gateway', 'orders'],
    }),
    domains: [notification, chat],
  },
  {
    name: 'rooms',
    host: hostFacts({ solution: false, runner: 'jest', scope: 'rooms' }),
    domains: rooms.map((one) => ({ ...one, example: true })),
    files: CSS_MODULES,
  },
  {
    name: 'host-context',
    host: hostFacts({ solution: true, runner: 'vitest', esm: true, scope: 'host-context' }),
    domains: [
      domain({
        name: 'Notification',
        clientEvents: ['markRead{notificationId}'],
        requestContext: 'src/common/request-context.service.ts',
      }),
    ],
    files: { 'apps/api-gateway/src/common/request-context.service.ts': HOST_CONTEXT },
  },
  {
    name: 'server-only',
    host: hostFacts({
      solution: false,
      runner: 'jest',
      web: false,
      scope: 'server-only',
      publishers: ['orders'],
    }),
    domains: [
      domain({ name: 'Notification', web: 'none' }),
      {
        ...domain({ name: 'Command', web: 'none', clientEvents: ['run{line}'] }),
        serverEvents: [],
      },
      domain({ name: 'Alert', web: 'none', rooms: 'user', skipTests: true }),
    ],
  },
];

export const renderShape = (shape: Shape): RenderedFile[] =>
  render(shape.domains, shape.host, loadTemplates());

export function hostFacts(options: {
  solution: boolean;
  runner: TestRunner;
  esm?: boolean;
  web?: keyof typeof WEB | false;
  scope?: string;
  /** Apps that publish. */
  publishers?: readonly string[];
  /** Plurals of the domains whose contracts chain methods of zod. */
  chained?: readonly string[];
}): HostFacts {
  const { solution, runner, esm = false, web = 'app', scope = 'acme' } = options;
  const { publishers = [], chained = [] } = options;
  const name = (short: string): string => (solution ? `@${scope}/${short}` : short);
  const app = (short: string): AppFacts => ({
    name: name(short),
    shortName: short,
    root: `apps/${short}`,
    sourceRoot: `apps/${short}/src`,
    realtimeRoot: `apps/${short}/src/realtime`,
    main: `apps/${short}/src/main.ts`,
    module: `apps/${short}/src/app/app.module.ts`,
    esm,
    testRunner: runner,
  });
  return {
    solution,
    baseTsconfig: 'tsconfig.base.json',
    eslintConfig: 'eslint.config.mjs',
    nest: { range: '^11.0.0', major: 11 },
    apps: new Map([['api-gateway', app('api-gateway')]]),
    publishers: publishers.map((short) => ({ ...app(short), skipTests: false })),
    webs: web
      ? new Map([
          [
            'web',
            {
              name: name('web'),
              shortName: 'web',
              root: 'apps/web',
              ...WEB[web],
              nextMajor: WEB[web].framework === 'next' ? 16 : null,
              reactRouter: false,
              testRunner: runner,
            },
          ],
        ])
      : new Map(),
    ejected: new Map(),
    contracts: new Map([
      [
        'realtime-contracts',
        {
          name: 'realtime-contracts',
          root: solution ? 'packages/realtime-contracts' : 'libs/realtime-contracts',
          exists: false,
          importPath: `@${scope}/realtime-contracts`,
          chained: new Set(chained.map((plural) => `${plural}.contract.ts`)),
        },
      ],
    ]),
  };
}
