import { describe, expect, it } from 'vitest';
import { addSetupCall, addShutdownHooks } from './index.js';
import { crlf, doneTwice } from '../../../test/support/wiring-edits.js';

const WANTED = { symbol: 'setupRealtime', from: '@nx-realtime/nest' };
const HEAD =
  "import { NestFactory } from '@nestjs/core';\nimport { AppModule } from './app/app.module';\n";
const OURS = "import { setupRealtime } from '@nx-realtime/nest';\n";

const edit = (text: string) => addSetupCall(text, WANTED);
const CREATE = 'const app = await NestFactory.create(AppModule);';
const LISTEN = 'await app.listen(3000);';
const SETUP = 'await setupRealtime(app);';
const boot = (...lines: string[]): string =>
  `${HEAD}\nasync function bootstrap() {\n${lines.map((line) => `  ${line}\n`).join('')}}\n\nbootstrap();\n`;

describe('addSetupCall', () => {
  it('adds one line before listen, and the import after the last one', () => {
    const text = boot(CREATE, "app.setGlobalPrefix('api');", LISTEN, "Logger.log('🚀');");
    const expected = boot(
      CREATE,
      "app.setGlobalPrefix('api');",
      SETUP,
      LISTEN,
      "Logger.log('🚀');",
    ).replace(HEAD, HEAD + OURS);
    expect(doneTwice(text, edit)).toBe(expected);
    expect(doneTwice(crlf(text), edit)).toBe(crlf(expected));
  });

  it.each<[string, string]>([
    ['a call that is not awaited', 'app.listen(3000);'],
    ['a call that is voided', 'void app.listen(3000);'],
    ['a callback', "await app.listen(3000, () => Logger.log('up'));"],
    ['a chain', 'app.listen(3000).catch((error) => fail(error));'],
    ['a variable', 'const server = await app.listen(3000);'],
    ['a return', 'return app.listen(3000);'],
    ['a list', 'await Promise.all([app.listen(3000), warmUp()]);'],
    ['a host and a port over lines', "await app.listen(\n    3000,\n    '0.0.0.0',\n  );"],
  ])('adds it before %s', (_, listen) => {
    expect(doneTwice(boot(CREATE, listen), edit)).toContain(`  ${SETUP}\n  ${listen}\n`);
  });

  it.each<[string, string, string]>([
    ['another name', 'const server = await NestFactory.create(AppModule);', 'server'],
    ['a type', 'const app: INestApplication = await NestFactory.create(AppModule);', 'app'],
    [
      'an adapter and a type argument',
      'const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { bufferLogs: true });',
      'app',
    ],
    [
      'an assertion',
      'const app = (await NestFactory.create(AppModule)) as INestApplication;',
      'app',
    ],
    ['an assignment', 'let app; app = await NestFactory.create(AppModule);', 'app'],
  ])('finds the application with %s', (_, create, name) => {
    expect(doneTwice(boot(create, `await ${name}.listen(3000);`), edit)).toContain(
      `  await setupRealtime(${name});\n  await ${name}.listen(3000);\n`,
    );
  });

  it.each<[string, string, string]>([
    ['an alias', "import { NestFactory as Factory } from '@nestjs/core';\n", 'Factory'],
    ['a namespace', "import * as core from '@nestjs/core';\n", 'core.NestFactory'],
  ])('finds the factory by %s', (_, head, factory) => {
    const text = boot(CREATE.replace('NestFactory', factory), LISTEN).replace(HEAD, head);
    expect(doneTwice(text, edit)).toContain(`  ${SETUP}\n  ${LISTEN}\n`);
  });

  it.each<[string, (body: string) => string]>([
    ['an arrow function', (body) => `${HEAD}const bootstrap = async () => {\n${body}};\n`],
    ['a function expression', (body) => `${HEAD}(async function () {\n${body}})();\n`],
    ['top-level await', (body) => HEAD + body],
    ['a method', (body) => `${HEAD}class Main {\n  static async run() {\n${body}}\n}\n`],
    [
      'try and catch',
      (body) => `${HEAD}async function boot() {\n  try {\n${body}  } catch {\n  }\n}\n`,
    ],
  ])('works in %s', (_, wrap) => {
    const text = wrap(`  ${CREATE}\n  ${LISTEN}\n`);
    expect(doneTwice(text, edit)).toContain(`  ${SETUP}\n  ${LISTEN}\n`);
  });

  it.each(['@acme/realtime-kernel', './realtime/setup', '../kernel/src/index.js'])(
    'leaves a call of one from %s',
    (from) => {
      const text = boot(CREATE, SETUP, LISTEN).replace(
        HEAD,
        `${HEAD}import { setupRealtime } from '${from}';\n`,
      );
      expect(edit(text)).toEqual({ kind: 'already' });
    },
  );

  it('works where listening is conditional', () => {
    const text = boot(CREATE, 'if (require.main === module) {', `  ${LISTEN}`, '}');
    expect(doneTwice(text, edit)).toContain(`    ${SETUP}\n    ${LISTEN}\n`);
    expect(doneTwice(boot(CREATE, `if (port) ${LISTEN}`), edit)).toContain(
      `  ${SETUP}\n  if (port) ${LISTEN}\n`,
    );
  });

  it('comes before app.init(), which takes the adapters', () => {
    const text = boot(CREATE, 'await app.init();', LISTEN);
    expect(doneTwice(text, edit)).toContain(`  ${SETUP}\n  await app.init();\n  ${LISTEN}\n`);
  });

  it('keeps a body in one line, and a file without semicolons', () => {
    const line = `${HEAD}async function boot() { ${CREATE} ${LISTEN} }\n`;
    expect(doneTwice(line, edit)).toContain(`${CREATE} ${SETUP} ${LISTEN} }`);
    const bare = boot(CREATE, LISTEN).replaceAll(';', '');
    expect(doneTwice(bare, edit)).toBe(
      boot(CREATE, SETUP, LISTEN)
        .replace(HEAD, HEAD + OURS)
        .replaceAll(';', ''),
    );
  });

  it.each<[string, string, RegExp]>([
    [
      'a microservice',
      boot('const app = await NestFactory.createMicroservice(AppModule);', 'await app.listen();'),
      /microservice/,
    ],
    [
      'a context',
      boot('const app = await NestFactory.createApplicationContext(AppModule);'),
      /does not call/,
    ],
    [
      'a chain',
      `${HEAD}NestFactory.create(AppModule).then((app) => app.listen(3000));\n`,
      /not awaited/,
    ],
    ['no variable', boot('await (await NestFactory.create(AppModule)).listen(3000);'), /variable/],
    ['a pattern', boot('const { app } = await NestFactory.create(AppModule);', LISTEN), /variable/],
    [
      'a wrapper',
      boot('const app = wrap(await NestFactory.create(AppModule));', LISTEN),
      /variable/,
    ],
    ['two applications', boot(CREATE, CREATE.replace('app', 'other'), LISTEN), /more than once/],
    [
      'two listens',
      boot(
        CREATE,
        'if (tls) {',
        'await app.listen(443);',
        '} else {',
        'await app.listen(80);',
        '}',
      ),
      /more than once/,
    ],
    ['no listen', boot(CREATE, 'return app;'), /not called/],
    [
      'a listen in another function',
      `${boot(CREATE, 'start(() => app.listen(3000));')}`,
      /function that creates/,
    ],
    [
      'a listen in the same declaration',
      boot('const app = await NestFactory.create(AppModule), up = await app.listen(3000);'),
      /function that creates/,
    ],
    [
      'an init in a branch',
      boot(CREATE, 'if (warm) {', 'await app.init();', '}', LISTEN),
      /function that creates/,
    ],
    [
      "another library's factory",
      boot(CREATE, LISTEN).replace('@nestjs/core', './factory'),
      /does not call/,
    ],
    ['a syntax error', `${boot(CREATE, LISTEN)}}`, /does not parse/],
  ])('leaves %s alone, and says why and what to paste', (_, text, reason) => {
    expect(edit(text)).toEqual({
      kind: 'unable',
      snippet: `${OURS}\n// on the line before app.listen(...)\n${SETUP}`,
      reason: expect.stringMatching(reason),
    });
  });

  it('does nothing where it is called already, wherever that is', () => {
    const text = boot(CREATE, SETUP, 'app.enableCors();', LISTEN).replace(HEAD, HEAD + OURS);
    expect(edit(text)).toEqual({ kind: 'already' });
    expect(
      edit(
        text
          .replaceAll('setupRealtime(', 'live(')
          .replace('{ setupRealtime }', '{ setupRealtime as live }'),
      ),
    ).toEqual({ kind: 'already' });
  });
});

describe('addShutdownHooks', () => {
  const HOOKS = 'app.enableShutdownHooks();';

  it('adds one line before listen', () => {
    expect(doneTwice(boot(CREATE, LISTEN), addShutdownHooks)).toBe(boot(CREATE, HOOKS, LISTEN));
    expect(doneTwice(crlf(boot(CREATE, LISTEN)), addShutdownHooks)).toBe(
      crlf(boot(CREATE, HOOKS, LISTEN)),
    );
  });

  it.each([HOOKS, "app.enableShutdownHooks(['SIGTERM']);"])('finds %s', (hooks) => {
    expect(addShutdownHooks(boot(CREATE, hooks, LISTEN))).toEqual({ kind: 'already' });
  });

  it.each([
    ['another way to boot', boot('const app = boot();', LISTEN)],
    ['no listen', boot(CREATE)],
    ['what does not parse', boot('const = ;')],
  ])('leaves %s, and says what to paste', (_what, text) => {
    const result = addShutdownHooks(text);
    expect(result).toMatchObject({ kind: 'unable', snippet: expect.stringContaining(HOOKS) });
  });
});
