import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { announced } from '../../../eslint-plugin/test/support/announced.js';
import {
  lockOf,
  mainOf as main,
  placed,
  projectInto,
  REPO,
  reviewRoot,
  tools,
  writeInto,
} from '../../test/support/review-root.js';
import { isBelow } from './advisories.js';
import { publish, reviewWorkspace, WORKSPACE_CHECKS } from './index.js';
import type { Review, ReviewOptions } from './index.js';

const RECIPE = join(REPO, 'packages/eslint-plugin/test/recipe');

let root: string;

vi.setConfig({ testTimeout: 120_000 });

beforeEach(() => {
  root = reviewRoot();
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (path: string, text: string): void => writeInto(root, path, text);

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const project = (path: string): void => projectInto(root, path);

function recipe(): void {
  cpSync(RECIPE, root, { recursive: true });
  for (const name of ['api', 'worker', 'web']) project(`apps/${name}`);
}

const review = (options: ReviewOptions = {}): Review =>
  reviewWorkspace(new FsTree(root, false), options, () => tools);

let found: Review | undefined;

/** The recipe, in the folder, and what a review of it finds. */
function reviewedRecipe(): Review {
  recipe();
  return (found ??= review());
}

/** The recipe without type information, which takes most of a review's time: for what does not depend on it. */
function untypedRecipe(): void {
  recipe();
  for (const name of ['api', 'worker', 'web']) rmSync(join(root, `apps/${name}/tsconfig.json`));
  rmSync(join(root, 'tsconfig.base.json'));
}

/** An app with a root module and its gateway, to be changed by each test. */
function app(files: Record<string, string> = {}): void {
  project('apps/api');
  const all = {
    'main.ts': `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';
async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(3000);
}
void bootstrap();
`,
    'app.module.ts': `import { Module } from '@nestjs/common';
import { ChatModule } from './chat.module';
@Module({ imports: [ChatModule] })
export class AppModule {}
`,
    'chat.module.ts': `import { Module } from '@nestjs/common';
import { ChatGateway } from './chat.gateway';
@Module({ providers: [ChatGateway] })
export class ChatModule {}
`,
    'chat.gateway.ts': `import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway({ namespace: '/chat' })
export class ChatGateway {}
`,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) write(`apps/api/src/${path}`, text);
}

const CONSUMER = `import { Controller } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
@Controller()
export class ChatConsumer {
  @EventPattern('chat.created') created() {}
}
`;

const RMQ = `app.connectMicroservice({ transport: Transport.RMQ, options: { queue: 'q' } });`;

/** The workspace checks that find something, with the place. */
function checked(): string[] {
  const names = new Set(WORKSPACE_CHECKS.map(({ name }) => name));
  return review()
    .findings.filter(({ check }) => names.has(check))
    .map(({ path, check }) => `${path.replace('apps/api/src/', '')} ${check}`);
}

const unknowns = (): string[] => review().unknown.map(({ path, what }) => `${path}: ${what}`);

describe('a stack written from the recipes', () => {
  it('has every fault found, where it is, by the rules and by the look at the whole', () => {
    const result = reviewedRecipe();
    const expected = announced(RECIPE).map(({ file, line, rule }) => `${file}:${line} ${rule}`);
    const lineInMain = (text: string): number =>
      read('apps/api/src/main.ts')
        .split('\n')
        .findLastIndex((line) => line.includes(text)) + 1;
    const whole = [
      `apps/api/src/main.ts:${lineInMain('connectMicroservice')} one-rmq-microservice`,
      `apps/api/src/main.ts:${lineInMain('startAllMicroservices')} microservices-before-listen`,
    ];
    expect(placed(result)).toEqual([...expected, ...whole].sort());
    expect([...result.projects].sort()).toEqual(['api', 'web', 'worker']);
    expect(result.untyped).toEqual([]);
    expect(result.unknown).toEqual([]);
  });

  it('is repaired where that is safe, in the Tree, and reviewed again', () => {
    const before = placed(reviewedRecipe());
    const tree = new FsTree(root, false);
    const result = reviewWorkspace(tree, { fix: true }, () => tools);
    expect(result.fixed.length).toBeGreaterThan(3);
    expect(
      tree
        .listChanges()
        .map(({ path }) => path)
        .sort(),
    ).toEqual([...result.fixed].sort());
    expect(result.findings.filter(({ fixable }) => fixable)).toEqual([]);
    expect(result.findings.map(({ check }) => check)).not.toContain('no-connection-state-recovery');
    expect(read('apps/api/src/redis-io.adapter.ts')).toContain('connectionStateRecovery');
    flushChanges(root, tree.listChanges());
    expect(read('apps/api/src/redis-io.adapter.ts')).not.toContain('connectionStateRecovery');
    expect(placed(result).length).toBeLessThan(before.length);
    const again = review({ fix: true });
    expect(again.fixed).toEqual([]);
    expect(placed(again)).toEqual(placed(result));
  });

  it('can be reviewed one project at a time', () => {
    recipe();
    const paths = review({ project: 'web' }).findings.map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(5);
    expect(paths.filter((path) => !path.startsWith('apps/web/'))).toEqual([]);
    expect(() => review({ project: 'nope' })).toThrow(/^RT062 .*api, web, worker/);
  });

  it('keeps fingerprints when lines move', () => {
    const prints = ({ findings }: Review): string[] =>
      findings.map(({ fingerprint }) => fingerprint).sort();
    untypedRecipe();
    const before = prints(review());
    expect(before.length).toBeGreaterThan(50);
    expect(new Set(before).size).toBe(before.length);
    const path = 'apps/api/src/chat/chat.gateway.ts';
    write(path, `// One\n// and another line.\n${read(path)}`);
    expect(prints(review())).toEqual(before);
  });
});

describe('how an app boots', () => {
  const SETUP = 'await setupRealtime(app);';

  const KERNEL_MAIN = (from: string, steps = [SETUP, 'await app.listen(3000);']): string =>
    main(steps.join('\n  '), `import { setupRealtime } from '${from}';`);

  const kernelConsumer = (list: string, from = '@nx-realtime/nest') => ({
    'chat.consumer.ts': CONSUMER.replace(
      "from '@nestjs/microservices'",
      `from '${from}'`,
    ).replaceAll('EventPattern', 'BrokerEvent'),
    'chat.module.ts': withConsumer['chat.module.ts'].replace('controllers', list),
  });

  const withConsumer = {
    'chat.module.ts': `import { Module } from '@nestjs/common';
import { ChatConsumer } from './chat.consumer';
import { ChatGateway } from './chat.gateway';
@Module({ controllers: [ChatConsumer], providers: [ChatGateway] })
export class ChatModule {}
`,
    'chat.consumer.ts': CONSUMER,
  };

  it('is right as it should be', () => {
    app({
      ...withConsumer,
      'main.ts': main(`${RMQ}\n  await app.listen(3000);\n  void app.startAllMicroservices();`),
    });
    expect(checked()).toEqual([]);
    expect(unknowns()).toEqual([]);
  });

  it.each([
    [
      'no module imported',
      {
        'app.module.ts': `import { Module } from '@nestjs/common';\n@Module({})\nexport class AppModule {}\n`,
      },
      ['chat.gateway.ts unreachable-gateway'],
    ],
    [
      'gateway listed nowhere',
      {
        'chat.module.ts': `import { Module } from '@nestjs/common';\n@Module({})\nexport class ChatModule {}\n`,
      },
      ['chat.gateway.ts unreachable-gateway'],
    ],
    [
      'consumer listed nowhere',
      { 'chat.consumer.ts': CONSUMER },
      ['chat.consumer.ts unreachable-consumer'],
    ],
    ['no microservice', withConsumer, ['main.ts microservice-not-connected']],
    [
      'no microservice for a consumer among the providers',
      {
        ...withConsumer,
        'chat.module.ts': withConsumer['chat.module.ts'].replace(
          'controllers: [ChatConsumer], providers: [',
          'providers: [ChatConsumer, ',
        ),
      },
      ['main.ts microservice-not-connected'],
    ],
    [
      'no microservice for a gateway that handles its events',
      {
        'chat.gateway.ts': `import { EventPattern } from '@nestjs/microservices';
import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway({ namespace: '/chat' })
export class ChatGateway {
  @EventPattern('chat.created') created() {}
}
`,
      },
      ['main.ts microservice-not-connected'],
    ],
    [
      'the kernel set up, whose consumers are controllers',
      { 'main.ts': KERNEL_MAIN('@nx-realtime/nest'), ...kernelConsumer('controllers') },
      [],
    ],
    [
      'a function of the host that is called as the kernel is',
      {
        'main.ts': KERNEL_MAIN('./setup'),
        'setup.ts': 'export const setupRealtime = async (app) => app;\n',
        ...kernelConsumer('controllers'),
      },
      ['main.ts microservice-not-connected'],
    ],
    [
      'a decorator of the host that is called as the kernel is',
      {
        'main.ts': main('await app.listen(3000);'),
        'setup.ts': 'export const BrokerEvent = () => () => undefined;\n',
        ...kernelConsumer('controllers', './setup'),
      },
      [],
    ],
    [
      'a consumer of the kernel listed nowhere',
      { 'main.ts': KERNEL_MAIN('@nx-realtime/nest'), ...kernelConsumer('exports') },
      ['chat.consumer.ts unreachable-consumer'],
    ],
    [
      'a gateway from before that the kernel does not serve',
      {
        'main.ts': KERNEL_MAIN('@nx-realtime/nest'),
        'chat.gateway.ts': `import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway({ path: '/ws' })
export class ChatGateway {}
`,
      },
      ['chat.gateway.ts gateway-unserved'],
    ],
    [
      'a gateway from before that is kept',
      {
        'main.ts': KERNEL_MAIN('@nx-realtime/nest'),
        'chat.gateway.ts': `import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway({ cors: true })
export class ChatGateway {}
`,
        'realtime/realtime.module.ts': `import { ChatGateway } from '../chat.gateway';
export const options = { keepGateways: [ChatGateway] };
`,
      },
      ['chat.gateway.ts gateway-kept'],
    ],
    [
      'the kernel set up too late',
      {
        'main.ts': KERNEL_MAIN('@nx-realtime/nest', ['await app.listen(3000);', SETUP]),
      },
      ['main.ts adapter-after-listen'],
    ],
    [
      'microservice not started',
      { ...withConsumer, 'main.ts': main(`${RMQ}\n  await app.listen(3000);`) },
      ['main.ts microservice-not-started'],
    ],
    [
      'microservice started first',
      {
        ...withConsumer,
        'main.ts': main(`${RMQ}\n  await app.startAllMicroservices();\n  await app.listen(3000);`),
      },
      ['main.ts microservices-before-listen'],
    ],
    [
      'microservice that waits for no broker started first',
      {
        'main.ts': main(
          `app.connectMicroservice({ transport: Transport.GRPC });\n  await app.startAllMicroservices();\n  await app.listen(3000);`,
        ),
      },
      [],
    ],
    [
      'two microservices',
      {
        ...withConsumer,
        'main.ts': main(
          `${RMQ}\n  ${RMQ}\n  await app.listen(3000);\n  void app.startAllMicroservices();`,
        ),
      },
      ['main.ts one-rmq-microservice'],
    ],
    [
      'adapter late',
      { 'main.ts': main(`await app.listen(3000);\n  app.useWebSocketAdapter(new X(app));`) },
      ['main.ts adapter-after-listen'],
    ],
    [
      'adapter late, by a function of another file',
      {
        'main.ts': main(
          `await app.listen(3000);\n  await setup(app, 1);`,
          `import { setup } from './setup';`,
        ),
        'setup.ts': `export const setup = async (nest, n) => { nest.useWebSocketAdapter(n); };\n`,
      },
      ['setup.ts adapter-after-listen'],
    ],
    [
      'adapter not installed',
      {
        'io.adapter.ts': `import { IoAdapter } from '@nestjs/platform-socket.io';\nexport class GuardedAdapter extends IoAdapter {}\n`,
      },
      ['io.adapter.ts adapter-not-installed'],
    ],
  ])('%s', (_name, files, expected) => {
    app(files);
    expect(checked()).toEqual(expected);
    expect(unknowns()).toEqual([]);
  });

  it('follows a gateway that is provided under another token', () => {
    app({
      'chat.module.ts': `import { Module } from '@nestjs/common';
import { ChatGateway } from './chat.gateway';
@Module({ providers: [{ provide: 'CHAT', useClass: ChatGateway }] })
export class ChatModule {}
`,
    });
    expect(checked()).toEqual([]);
    expect(unknowns()).toEqual([]);
  });

  it.each([
    [
      'microservices of two transports',
      `${RMQ}\n  app.connectMicroservice({ transport: Transport.TCP });\n  await app.listen(3000);\n  void app.startAllMicroservices();`,
    ],
    [
      'a start that nobody waits for',
      `${RMQ}\n  void app.startAllMicroservices();\n  await app.listen(3000);`,
    ],
    [
      'a start in a callback',
      `${RMQ}\n  setTimeout(async () => { await app.startAllMicroservices(); }, 1);\n  await app.listen(3000);`,
    ],
  ])('has nothing to say of %s', (_name, steps) => {
    app({ ...withConsumer, 'main.ts': main(steps) });
    expect(checked()).toEqual([]);
    expect(unknowns()).toEqual([]);
  });

  it('is not judged where no app boots: a library may be for another workspace', () => {
    app();
    rmSync(join(root, 'apps/api/src/main.ts'));
    expect(checked()).toEqual([]);
    expect(unknowns()).toEqual([
      expect.stringMatching(/chat\.gateway\.ts: .* \(no app that boots Nest was found\)$/),
    ]);
  });

  it.each([
    ['forwardRef', `imports: [forwardRef(() => ChatModule)]`],
    ['forRoot', `imports: [ChatModule.forRoot({ a: 1 })]`],
    ['a choice', `imports: [process.env.X ? ChatModule : ChatModule]`],
    ['a list with a name', `imports: LIST`],
    ['a spread list', `imports: [...LIST]`],
  ])('follows %s', (_name, imports) => {
    app({
      'app.module.ts': `import { Module, forwardRef } from '@nestjs/common';
import { ChatModule } from './chat.module';
const LIST = [ChatModule];
@Module({ ${imports} })
export class AppModule {}
`,
    });
    expect(checked()).toEqual([]);
    expect(unknowns()).toEqual([]);
  });

  it('follows modules through a library, its barrel and an alias', () => {
    app({
      'app.module.ts': `import { Module } from '@nestjs/common';\nimport { Renamed } from '@acme/chat';\n@Module({ imports: [Renamed] })\nexport class AppModule {}\n`,
    });
    write(
      'tsconfig.base.json',
      '{ "compilerOptions": { "paths": { "@acme/*": ["libs/*/src/index.ts"] } } }',
    );
    write('libs/chat/src/index.ts', `export * from './lib/chat.module';\n`);
    write(
      'libs/chat/src/lib/chat.module.ts',
      read('apps/api/src/chat.module.ts')
        .replace('ChatModule', 'Renamed')
        .replace('./chat.gateway', '../../../../apps/api/src/chat.gateway'),
    );
    expect(checked()).toEqual([]);
    expect(unknowns()).toEqual([]);
  });

  it.each([
    [
      'modules made by code',
      {
        'app.module.ts': `import { Module } from '@nestjs/common';\nimport { load } from './load';\n@Module({ imports: load() })\nexport class AppModule {}\n`,
      },
      /chat\.gateway\.ts: whether an app brings in ChatGateway .*imports is made by code/,
    ],
    [
      'metadata from elsewhere',
      {
        'app.module.ts': `import { Module } from '@nestjs/common';\nimport { metadata } from './load';\n@Module({ ...metadata })\nexport class AppModule {}\n`,
      },
      /chat\.gateway\.ts: whether an app brings in ChatGateway .*is spread from elsewhere/,
    ],
    [
      'two applications',
      {
        'main.ts': main(
          `await NestFactory.create(AppModule);\n  app.connectMicroservice({ transport: Transport.RMQ });`,
        ),
      },
      /main\.ts: it creates more than one application/,
    ],
    [
      'a microservice of unknown transport',
      { 'main.ts': main(`app.connectMicroservice(options());\n  await app.listen(3000);`) },
      /main\.ts: by which transport/,
    ],
    [
      'an app that is given away',
      {
        'main.ts': main(`await helper.install(app);\n  await app.listen(3000);`),
        'io.adapter.ts': `import { IoAdapter } from '@nestjs/platform-socket.io';\nexport class GuardedAdapter extends IoAdapter {}\n`,
      },
      /main\.ts: what helper\(\) does/,
    ],
  ])('says that it does not know: %s', (_name, files, expected) => {
    app(files);
    expect(checked()).toEqual([]);
    expect(unknowns().join('\n')).toMatch(expected);
  });
});

describe('what the lockfile installs', () => {
  const WS = { version: '8.18.0' };
  const chain = {
    'node_modules/socket.io': { version: '4.8.3', dependencies: { 'engine.io': '~6.6.0' } },
    'node_modules/engine.io': { version: '6.6.9', dependencies: { ws: '~8.18.0' } },
  };

  const messages = (): string[] => {
    app();
    return review()
      .findings.filter(({ check }) => check === 'vulnerable-dependency')
      .map(({ message }) => message);
  };

  it('is found below a floor, nested too, with what brings it and how to lift it', () => {
    write(
      'package-lock.json',
      lockOf(
        {
          ...chain,
          'node_modules/ws': { version: '8.21.0' },
          'node_modules/engine.io/node_modules/ws': WS,
        },
        { 'socket.io': '^4.8.0' },
      ),
    );
    const [message, ...others] = messages();
    expect(others).toEqual([]);
    expect(message).toMatch(/^ws 8\.18\.0 is below 8\.21\.0: .*CVE-2026-48779/);
    expect(message).toContain(
      'Brought by socket.io > engine.io > ws. Add "overrides": { "ws": "^8.21.0" } to',
    );
    const finding = review().findings.find(({ check }) => check === 'vulnerable-dependency');
    expect(read('package-lock.json').split('\n')[(finding?.line ?? 0) - 1]).toContain(
      '"node_modules/engine.io/node_modules/ws"',
    );
  });

  it.each([
    ['15.5.18', undefined],
    ['15.5.17', '15.5.18'],
    ['16.1.7', '16.2.6'],
    ['16.2.6', undefined],
  ])('is held to the floor of its major: Next.js %s', (version, floor) => {
    write('package-lock.json', lockOf({ 'node_modules/next': { version } }, { next: '*' }));
    expect(messages()).toEqual(
      floor === undefined ? [] : [expect.stringContaining(`next ${version} is below ${floor}: `)],
    );
  });

  it('is left alone where only development needs it', () => {
    write('package-lock.json', lockOf({ 'node_modules/ws': { ...WS, dev: true } }));
    expect(messages()).toEqual([]);
  });

  it('is found in a lockfile of yarn', () => {
    rmSync(join(root, 'package-lock.json'));
    write('package.json', '{ "dependencies": { "socket.io": "^4.8.0" } }');
    write(
      'yarn.lock',
      `# yarn lockfile v1\n\n\nengine.io@~6.6.0:\n  version "6.6.9"\n  dependencies:\n    "ws" "~8.18.0"\n\nsocket.io@^4.8.0:\n  version "4.8.3"\n  dependencies:\n    engine.io "~6.6.0"\n\nws@^8.0.0, ws@~8.18.0:\n  version "8.18.0"\n`,
    );
    expect(messages()).toEqual([
      expect.stringContaining('Brought by socket.io > engine.io > ws. Add "resolutions"'),
    ]);
  });

  it('is found in a lockfile of newer yarn', () => {
    rmSync(join(root, 'package-lock.json'));
    write('package.json', '{ "dependencies": { "ws": "~8.18.0" } }');
    write(
      'yarn.lock',
      `__metadata:\n  version: 8\n\n"acme@workspace:.":\n  version: 0.0.0-use.local\n  dependencies:\n    ws: "npm:~8.18.0"\n\n"ws@npm:~8.18.0":\n  version: 8.18.0\n`,
    );
    expect(messages()).toEqual([
      expect.stringContaining('The workspace asks for it itself: raise it to ^8.21.0.'),
    ]);
  });

  it('is found in a lockfile of pnpm', () => {
    rmSync(join(root, 'package-lock.json'));
    write(
      'pnpm-lock.yaml',
      `lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      next:\n        specifier: ^15.0.0\n        version: 15.5.9(react@19.0.0)\n    devDependencies:\n      ws:\n        specifier: 8.18.0\n        version: 8.18.0\nsnapshots:\n  next@15.5.9(react@19.0.0):\n    dependencies:\n      jsonwebtoken: 8.5.1\n  jsonwebtoken@8.5.1: {}\n  ws@8.18.0: {}\n`,
    );
    expect(messages().sort()).toEqual([
      expect.stringMatching(
        /^jsonwebtoken 8\.5\.1 is below 9\.0\.0: .*update next to a version that takes jsonwebtoken 9\.$/,
      ),
      expect.stringMatching(/^next 15\.5\.9 is below 15\.5\.18: /),
    ]);
  });

  it('is said to be unknown without a lockfile that can be read', () => {
    app();
    for (const text of [undefined, '{', '{ "lockfileVersion": 1, "dependencies": {} }']) {
      rmSync(join(root, 'package-lock.json'), { force: true });
      if (text !== undefined) write('package-lock.json', text);
      expect(unknowns()).toEqual([
        expect.stringMatching(
          text === undefined ? /no lockfile/ : /^package-lock\.json: it cannot be read/,
        ),
      ]);
    }
  });

  it.each([
    ['8.20.9', '8.21.0', true],
    ['8.21.0', '8.21.0', false],
    ['8.21.0-beta.1', '8.21.0', true],
    ['10.0.0', '9.9.9', false],
    ['git+ssh', '9.9.9', false],
  ])('%s is below %s: %s', (version, floor, expected) =>
    expect(isBelow(version, floor)).toBe(expected),
  );
});

describe('a review', () => {
  it('of a workspace without realtime code says so, and does not need the rules', () => {
    project('apps/api');
    write('apps/api/src/main.ts', 'export {};\n');
    const tree = new FsTree(root, false);
    const load = vi.fn();
    const result = reviewWorkspace(tree, {}, load);
    expect(load).not.toHaveBeenCalled();
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    publish(tree, result, {})();
    expect(written).toHaveBeenCalledWith('No realtime code found: nothing to review.\n');
    written.mockRestore();
  });

  it('without the rules says how to add them', () => {
    rmSync(join(root, 'node_modules'));
    app();
    expect(() => reviewWorkspace(new FsTree(root, false), {})).toThrow(
      /^RT060 .*npm (?:i|install) -D eslint @nx-realtime\/eslint-plugin$/,
    );
  });

  it('honours comments that disable a rule, and counts them', () => {
    app({
      'chat.gateway.ts': `import { WebSocketGateway } from '@nestjs/websockets';\n// eslint-disable-next-line nx-realtime/no-permissive-cors, nx-realtime/require-gateway-auth, nx-realtime/websocket-only, nx-realtime/require-origin-check, other/rule -- public\n@WebSocketGateway({ namespace: '/chat', cors: { origin: '*' } })\nexport class ChatGateway {}\n`,
    });
    const result = review();
    expect(placed(result)).toEqual([]);
    expect(result.disabled).toBeGreaterThan(0);
  });

  it('leaves out what is ignored by git, built or a test', () => {
    app();
    const path = 'apps/api/src/chat.gateway.ts';
    const text = read(path).replace(`'/chat'`, `'/chat', cors: { origin: '*' }`);
    write(path, text);
    for (const other of ['ignored/a.ts', 'dist/a.ts', 'a.spec.ts']) {
      write(`apps/api/src/${other}`, text);
    }
    const paths = new Set(review().findings.map(({ path }) => path));
    expect([...paths]).toEqual([path]);
  });

  it('reads files that no tsconfig.json holds, and says so; and says what it cannot read', () => {
    app({ 'broken.gateway.ts': `import '@nestjs/websockets'; class {` });
    const result = review();
    expect(result.untyped).toContain('apps/api/src/chat.gateway.ts');
    expect(result.unknown.map(({ path }) => path)).toContain('apps/api/src/broken.gateway.ts');
  });

  it('is limited by severity and by checks to skip', () => {
    untypedRecipe();
    expect(
      new Set(review({ severity: 'medium' }).findings.map(({ severity }) => severity)),
    ).toEqual(new Set(['high', 'medium']));
    const checks = (options: ReviewOptions): string[] =>
      review(options).findings.map(({ check }) => check);
    expect(checks({})).toContain('require-ack');
    expect(checks({ skip: ['require-ack'] })).not.toContain('require-ack');
    expect(() => review({ skip: ['nope'] })).toThrow(/^RT063 /);
  });

  it('fails the command from the severity that is asked for, and not below', () => {
    const result = reviewedRecipe();
    const tree = new FsTree(root, false);
    const low = {
      ...result,
      findings: result.findings.filter(({ severity }) => severity === 'low'),
    };
    const output = 'review.md';
    expect(publish(tree, result, { output })).toThrow(/^RT065 /);
    expect(publish(tree, result, { output, failOn: 'never' })).not.toThrow();
    expect(publish(tree, low, { output })).not.toThrow();
    expect(publish(tree, low, { output, failOn: 'low' })).toThrow(/^RT065 /);
  });

  it.each(['../review.md', '/tmp/review.md', 'C:\\review.md', 'apps'])(
    'is not written to %s',
    (output) => {
      const result = reviewedRecipe();
      expect(() => publish(new FsTree(root, false), result, { output })).toThrow(/^RT064 /);
    },
  );
});

describe('a report', () => {
  const reported = (format: 'markdown' | 'json' | 'sarif'): string => {
    const result = reviewedRecipe();
    const tree = new FsTree(root, false);
    publish(tree, result, { format, output: 'reports/review.txt' });
    return tree.read('reports/review.txt', 'utf-8') ?? '';
  };

  it('to read has what, where, why, what to do and what can be repaired, worst first', () => {
    const text = reported('markdown');
    expect(text).toMatch(
      /^# Review of realtime code\n\n.*\d+ high, \d+ medium, \d+ low; \d+ can be repaired with --fix/,
    );
    expect(text.indexOf('## High')).toBeLessThan(text.indexOf('## Medium'));
    expect(text.indexOf('## Medium')).toBeLessThan(text.indexOf('## Low'));
    expect(text).toMatch(
      /^- apps\/api\/src\/redis-io\.adapter\.ts:\d+:\d+ .* \(--fix repairs it\)$/m,
    );
    expect(text).toMatch(
      /^### .* \(require-ack\)\n\n(?:- apps.*\n)+\nWhy: .+\n\nWhat to do: .+ \[More\]\(https:.*require-ack\.md\)\n\n```ts\n\/\/ ack\.interceptor\.ts/m,
    );
  });

  it('prints the code of a correction once, and says where it stands further up', () => {
    const text = reported('markdown');
    expect(text.split('class AuthenticatedAdapter extends IoAdapter')).toHaveLength(2);
    expect(text).toContain('Code that goes with it stands further up.');
    const fences = [...text.matchAll(/^```(\w*)$/gm)].map(([, language]) => language);
    expect(fences.filter((_language, index) => index % 2 === 0)).toEqual(
      Array(fences.length / 2).fill('ts'),
    );
    expect(fences.filter((language) => language === '')).toHaveLength(fences.length / 2);
  });

  it('begins with the three that let somebody in, of three files', () => {
    const [, first = ''] = /\n## Start here\n([^]*?)\n## High/.exec(reported('markdown')) ?? [];
    const paths = [...first.matchAll(/^- ([^:]+):\d+:\d+ /gm)].map(([, path]) => path);
    expect(paths).toHaveLength(3);
    expect(new Set(paths).size).toBe(3);
    expect(paths).toContain('apps/api/src/notifications/notifications.gateway.ts');
  });

  it('weighs a finding by what is open, not by its rule alone', () => {
    const severities = new Map(
      reviewedRecipe().findings.map(({ check, severity }) => [check, severity]),
    );
    expect(severities.get('no-auth-in-handle-connection')).toBe('high');
    expect(severities.get('require-jwt-algorithms')).toBe('medium');
    app({
      'chat.gateway.ts': `import { WebSocketGateway } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
@WebSocketGateway({ namespace: '/chat' })
export class ChatGateway {
  async handleConnection(client: Socket) {
    try { client.data.user = await verifyToken(client.handshake.auth.token); } catch { client.disconnect(); }
  }
}
`,
    });
    const late = review({ project: 'api' }).findings.find(
      ({ check, path }) =>
        check === 'no-auth-in-handle-connection' && path.endsWith('src/chat.gateway.ts'),
    );
    expect(late?.severity).toBe('medium');
  });

  it('has no line of the parser before it', () => {
    recipe();
    const asked: unknown[] = [];
    const parser = {
      ...tools.parser,
      parseForESLint: (text: string, options: { loggerFn?: unknown }) => {
        asked.push(options.loggerFn);
        return (tools.parser as { parseForESLint: (...args: unknown[]) => unknown }).parseForESLint(
          text,
          options,
        );
      },
    } as typeof tools.parser;
    reviewWorkspace(new FsTree(root, false), { project: 'worker' }, () => ({ ...tools, parser }));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((logger) => logger !== false)).toEqual([]);
  });

  it('is what its document shows', () => {
    app({
      'io.adapter.ts': `import { IoAdapter } from '@nestjs/platform-socket.io';

export class GuardedAdapter extends IoAdapter {
  createIOServer(port: number) {
    const server = super.createIOServer(port, { connectionStateRecovery: {} });
    server.use((socket, next) => next());
    return server;
  }
}
`,
    });
    write('apps/api/tsconfig.json', '{ "include": ["src"] }');
    const tree = new FsTree(root, false);
    publish(tree, review({ severity: 'high' }), { output: 'review.md' });
    const page = readFileSync(resolve(__dirname, '../../REVIEW.md'), 'utf8');
    const shown = /````text\n([^]*?)````/.exec(page)?.[1];
    const links = (text: string): string => text.replace(/@\d+\.\d+\.\d+[^/]*/g, '@x');
    expect(links(shown ?? '')).toBe(links(tree.read('review.md', 'utf-8') ?? ''));
  });

  it('for programs has all of it', () => {
    const report = JSON.parse(reported('json')) as {
      counts: object;
      findings: { check: string }[];
      checks: { name: string }[];
    };
    expect(report.findings.length).toBeGreaterThan(50);
    const names = new Set(report.checks.map(({ name }) => name));
    expect(report.findings.filter(({ check }) => !names.has(check))).toEqual([]);
  });

  it('for code scanning names each rule and a place with a relative address', () => {
    const log = JSON.parse(reported('sarif')) as {
      version: string;
      runs: {
        tool: { driver: { rules: { id: string; helpUri: string }[] } };
        results: {
          ruleId: string;
          ruleIndex: number;
          level: string;
          locations: {
            physicalLocation: { artifactLocation: { uri: string }; region: Record<string, number> };
          }[];
          partialFingerprints: Record<string, string>;
        }[];
      }[];
    };
    const [run] = log.runs;
    expect(log.version).toBe('2.1.0');
    expect(run?.results.length).toBeGreaterThan(50);
    for (const result of run?.results ?? []) {
      expect(run?.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
      expect(result.level).toMatch(/^(?:error|warning|note)$/);
      const [location] = result.locations;
      expect(location?.physicalLocation.artifactLocation.uri).toMatch(/^apps\/[^:\\]+$/);
      for (const number of Object.values(location?.physicalLocation.region ?? {}))
        expect(number).toBeGreaterThan(0);
      expect(result.partialFingerprints['realtimeReview/v1']).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  it('links checks that its document describes', () => {
    const page = readFileSync(resolve(__dirname, '../../REVIEW.md'), 'utf8');
    for (const { name, url } of WORKSPACE_CHECKS) {
      expect(page).toContain(`### ${name}\n`);
      expect(url).toMatch(new RegExp(`/REVIEW\\.md#${name}$`));
    }
  });
});
