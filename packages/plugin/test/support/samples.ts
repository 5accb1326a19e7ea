import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CSS_MODULES, domain, HOST_CONTEXT, hostFacts, renderShape } from './shapes.js';
import type { Shape } from './shapes.js';

const REPO = join(import.meta.dirname, '../../../..');

/** What readers are told to write, and what the host of the samples is made from. */
const PAGES = ['packages/plugin/README.md', 'docs/first-week.md', 'docs/libraries.md'];

/** Blocks of code whose first line is a comment that names a file: whole files, by path. */
export function samplesOf(page: string): Record<string, string> {
  const text = readFileSync(join(REPO, page), 'utf-8');
  const blocks = text.matchAll(/^```tsx?\n\/\/ ((?:apps|libs)\/\S+)\n([\s\S]*?)^```$/gm);
  return Object.fromEntries([...blocks].map(([, path, code]) => [path, code]));
}

/** The workspace that the samples are about, with all of them in it. */
export function samplesShape(name: string): Shape {
  const shape = shapeOf(name);
  const samples = Object.assign({}, ...PAGES.map(samplesOf)) as Record<string, string>;
  const module = renderShape(shape).find(({ path }) => path.endsWith('/realtime.module.ts'));
  const files = { [module!.path]: withDataModule(module!.content) };
  return { ...shape, files: { ...CSS_MODULES, ...samples, ...files } };
}

/** What the reader does by hand. */
function withDataModule(text: string): string {
  return `import { NotificationsDataModule } from '../notifications/notifications-data.module';\n${text}`.replace(
    /RealtimeEventsModule(?=[,\]])/,
    '$&, NotificationsDataModule',
  );
}

function shapeOf(name: string): Shape {
  return {
    name,
    host: hostFacts({ solution: false, runner: 'vitest', publishers: ['api-gateway'] }),
    domains: [
      domain({
        name: 'Notification',
        serverEvents: ['created{id,message,type,userId}', 'read{notificationId,userId}'],
        clientEvents: ['markRead{notificationId}'],
      }),
      domain({
        name: 'Chat',
        serverEvents: ['message.posted{id,text,author}'],
        clientEvents: ['say{text}', 'announce{text}'],
      }),
      domain({
        name: 'Document',
        rooms: 'resource',
        serverEvents: ['changed{documentId,text}'],
        clientEvents: ['edit{documentId,text}'],
        web: 'none',
      }),
    ],
  };
}

/** The same workspace, whose owner's code needs what no test has. @see fillIn */
export function filledShape(name: string): Shape {
  const shape = shapeOf(name);
  const domains = shape.domains.map((one) => ({
    ...one,
    requestContext: 'src/common/request-context.service.ts',
  }));
  return {
    ...shape,
    domains,
    files: {
      'apps/api-gateway/src/common/request-context.service.ts': HOST_CONTEXT,
      'apps/api-gateway/src/database.ts': DATABASE,
    },
  };
}

/** Fills in a generated file as its owner may: with a database, and with what the app has for all. */
export function fillIn(path: string, content: string): string {
  const use = (depth: string): string => `import { Database } from '${depth}database';\n${content}`;
  if (path.endsWith('.service.ts') || path.endsWith('.policy.ts')) {
    return use('../../').replace(
      /(export class \w+ (?:implements \w+ )?\{)/,
      '$1\n  constructor(readonly database: Database) {\n    database.connect();\n  }\n',
    );
  }
  if (path.endsWith('/realtime.module.ts')) {
    return use('../')
      .replace('{ Database }', '{ DatabaseModule, FeatureModule, LateModule }')
      .replace(
        "import { Module } from '@nestjs/common'",
        "import { forwardRef, Module } from '@nestjs/common'",
      )
      .replace(
        '    RealtimeEventsModule,\n',
        '    RealtimeEventsModule,\n    DatabaseModule,\n    FeatureModule.forFeature(),\n    forwardRef(() => LateModule),\n',
      );
  }
  return path.endsWith('/ws-auth.guard.ts')
    ? use('../../')
        .replace('{ Database }', '{ Configuration }')
        .replace(
          /(export class \w+ extends \w+ \{)/,
          '$1\n  constructor(readonly config: Configuration) {\n    super();\n  }\n',
        )
    : content;
}

const DATABASE = `import { type DynamicModule, Injectable, Module } from '@nestjs/common';

@Injectable()
export class Database {
  connect(): void {
    throw new Error('there is no database');
  }

  onModuleInit(): void {
    this.connect();
  }
}

/** Which a module of the app provides for all. */
@Injectable()
export class Configuration {}

@Module({ providers: [Database], exports: [Database] })
export class DatabaseModule {}

@Module({})
export class FeatureModule {
  static forFeature(): DynamicModule {
    const useFactory = (database: Database) => database.connect();
    return {
      module: FeatureModule,
      providers: [{ provide: 'REPOSITORY', inject: [Database], useFactory }],
    };
  }
}

@Module({ imports: [DatabaseModule] })
export class LateModule {}
`;
