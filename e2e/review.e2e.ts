import { connect } from 'amqplib';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { announced } from '../packages/eslint-plugin/test/support/announced';
import { describeAttacks } from './support/attacks';
import { startRabbit, type Broker } from './support/brokers';
import { createHost, installPlugin, type Host } from './support/host';
import type { Running } from './support/processes';
import { amqpPublisher, type Publisher } from './support/publish';
import { recipientsOf, refusalOf, until, type Recorder } from './support/recorder';
import { REPO } from './support/repo';
import {
  choosePorts,
  connectUsers,
  eventually,
  JWT_SECRET,
  startApiOnBroker,
  urlsOf,
  USERS,
  type Ports,
} from './support/stack';
import { packedTarball } from './support/tarballs';
import { mintToken } from './support/token';

const RECIPE = join(REPO, 'packages/eslint-plugin/test/recipe');
const RULES = '@nx-realtime/eslint-plugin';
const REVIEW = 'npx nx g realtime-review';
const API = 'apps/api-gateway/src';
/** What the recipe imports; @nx/nest installs the rest. */
const DEPENDENCIES =
  '@nestjs/jwt@11 @nestjs/microservices@11 @nestjs/platform-socket.io@11 @nestjs/websockets@11 amqp-connection-manager@5 amqplib@2 class-transformer@0.5 class-validator@0.15 socket.io@4 socket.io-client@4 zustand@5';

interface Report {
  readonly findings: readonly {
    readonly path: string;
    readonly line: number;
    readonly check: string;
    readonly message: string;
  }[];
}

/** A stack written from the recipes, with every fault, brought to one that withstands the kernel's attacks. */
describe('a hand-written stack', () => {
  let host: Host;
  let ports: Ports;

  beforeAll(async () => {
    host = await createHost('integrated', 'review');
    ports = await choosePorts();
    await installPlugin(host);
    await host.run(`npm install ${DEPENDENCIES}`);
    writeRecipe(host);
    host.commit('As the recipes say');
  });

  const reviewed = (): Report => JSON.parse(host.read('review.json')) as Report;
  const placed = ({ findings }: Report): string[] =>
    findings.map(({ path, line, check }) => `${path}:${line} ${check}`).sort();

  it('is not reviewed without the rules: the command says how to add them', async () => {
    const { code, output } = await host.tryRun(REVIEW);
    expect(code).toBe(1);
    const command = /RT060 .*Add what is missing: (.+)/.exec(output)?.[1] ?? '';
    expect(command).toBe(`npm install -D ${RULES}`);
    await host.run(command.replace(RULES, `${RULES}@file:${packedTarball('rules')}`));
    host.commit('Add the rules');
  });

  it('has every fault found, where it is, and nothing else', async () => {
    const { code, output } = await host.tryRun(`${REVIEW} --format=json --output=review.json`);
    expect(code).toBe(1);
    expect(output).toMatch(/review\.json: \d+ high, \d+ medium, \d+ low; \d+ can be repaired/);
    expect(output).toMatch(/RT065 The review has \d+ findings of severity high/);
    const lineOf = (text: string): number =>
      host
        .read(`${API}/main.ts`)
        .split('\n')
        .findLastIndex((line) => line.includes(text)) + 1;
    const expected = [
      ...announced(RECIPE).map(
        ({ file, line, rule }) =>
          `${file.replace('apps/api/', 'apps/api-gateway/')}:${line} ${rule}`,
      ),
      `${API}/main.ts:${lineOf('connectMicroservice')} one-rmq-microservice`,
      `${API}/main.ts:${lineOf('startAllMicroservices')} microservices-before-listen`,
    ];
    // Which version of Next.js Nx installs is not ours.
    const isInstalled = (place: string): boolean => place.startsWith('package-lock.json:');
    const found = placed(reviewed());
    expect(found.filter((place) => !isInstalled(place))).toEqual(expected.sort());
    const installed = reviewed().findings.filter(({ path }) => isInstalled(`${path}:`));
    expect(installed.filter(({ message }) => !message.startsWith('next '))).toEqual([]);
  });

  it('is repaired where that is safe, and reported to code scanning', async () => {
    const before = reviewed().findings.length;
    host.commit('A report');
    await host.run(`${REVIEW} --fix --format=sarif --output=review.sarif --failOn=never`);
    const changed = host.status().map((line) => line.slice(3));
    expect(changed).toEqual(
      expect.arrayContaining([
        `${API}/chat/chat.gateway.ts`,
        `${API}/orders/orders.module.ts`,
        `${API}/redis-io.adapter.ts`,
        'apps/web/src/hooks/use-chat-socket.ts',
        'review.sarif',
      ]),
    );
    const [run] = (JSON.parse(host.read('review.sarif')) as { runs: SarifRun[] }).runs;
    expect(run?.results.length).toBeLessThan(before);
    expect(run?.results.length).toBeGreaterThan(40);
    const ids = run?.tool.driver.rules.map(({ id }) => id) ?? [];
    for (const { ruleId, ruleIndex, locations } of run?.results ?? []) {
      const { uri } = locations[0].physicalLocation.artifactLocation;
      expect([ids[ruleIndex], host.has(decodeURIComponent(uri))]).toEqual([ruleId, true]);
    }
    host.commit('Repaired');
  });

  it('is adopted, and what could not be is listed', async () => {
    const chat = await host.run('npx nx g realtime-domain Chat --adopt');
    for (const listed of [
      `${API}/chat/chat.gateway.ts:`,
      'ChatGateway.handleConnection is not called any more',
      'handled room.join, and was not moved',
      'handled message.send, and was not moved',
      `${API}/main.ts:11 installs an adapter that setupRealtime() replaces`,
      'NotificationsGateway stays, and the generated adapter asks',
      'apps/web/src/hooks/use-chat-socket.ts:16 opens a connection of its own: use useChatsSocket()',
    ]) {
      expect(chat).toContain(listed);
    }
    expect(chat).not.toContain('Conflicts');
    expect(chat).not.toContain('handled room.rules');
    const notification = await host.run('npx nx g realtime-domain Notification --adopt');
    expect(notification).toContain('notification.ping was "ping"');
    expect(notification).toContain('socket-context.tsx:8 opens a connection of its own');
    expect(host.read(`${API}/realtime/chats/chats.service.ts`)).toContain(
      'return this.chatService.rulesOf(data.room);',
    );
    host.commit('Adopted');
  });

  it('has no finding when its owner has done what the report says', async () => {
    finish(host);
    const { output } = await host.tryRun(`${REVIEW} --format=json --output=review.json`);
    expect(output).toMatch(/review\.json: /);
    const left = reviewed().findings.filter(({ check }) => check !== 'vulnerable-dependency');
    expect(left).toEqual([]);
    host.commit('What the report says');
    await host.run('npx nx sync:check');
    await host.run('npx nx run api-gateway:realtime-check');
    await host.run('npx nx build api-gateway');
    await host.run('npx tsc --noEmit --incremental false -p apps/web/tsconfig.json');
  });

  describe('in production', () => {
    let rabbit: Broker;
    let server: Running;
    let publisher: Publisher;
    let chat: Recorder[] = [];
    let notifications: Recorder[] = [];

    beforeAll(async () => {
      rabbit = await startRabbit();
      server = await startApiOnBroker(host, ports, rabbit.url);
      publisher = await amqpPublisher(rabbit.url);
      const api = (): string => urlsOf(ports).api;
      chat = await connectUsers(api, '/chat');
      notifications = await connectUsers(api, '/notifications');
      await eventually(() => publisher.publish('typing.stopped', 't0', { id: 'up' }, 'chat'));
    });

    afterAll(async () => {
      [...chat, ...notifications].forEach((recorder) => recorder.close());
      await publisher?.close();
      await server?.stop();
      await rabbit?.stop();
    });

    describeAttacks(() => ports, ['/chat', '/notifications']);

    it('does not let in who comes as the old gateways asked: a token in the URL', async () => {
      const token = mintToken(JWT_SECRET, USERS[0]!);
      const { api } = urlsOf(ports);
      for (const namespace of ['/chat', '/notifications']) {
        const refusal = await refusalOf(`${api}?token=${token}`, namespace, {});
        expect(refusal.code).toBe('UNAUTHORIZED');
      }
    });

    it('delivers what was sent to everyone to the tenant alone', async () => {
      const stopped = (tenant: string, id: string): Promise<void> =>
        publisher.publish('typing.stopped', tenant, { id }, 'chat');
      await stopped('t1', 'typing');
      const expected = ['t1/u1', 't1/u2'];
      const received = await recipientsOf('typing', expected, chat, async (barrier) => {
        for (const tenant of ['t1', 't2']) await stopped(tenant, barrier);
      });
      expect(received).toEqual(expected);
    });

    it('delivers what was sent to a user to that user of that tenant', async () => {
      const created = (tenant: string, userId: string, message: string): Promise<void> =>
        publisher.publish('notification.created', tenant, { userId, message });
      await created('t1', 'u1', 'Only for t1/u1');
      for (const { tenantId, sub } of USERS) await created(tenantId, sub, 'barrier');
      const messages = ({ received }: Recorder): unknown[] =>
        received.map(({ payload }) => (payload as unknown as { message: string }).message);
      await until(
        () => notifications.every((one) => messages(one).includes('barrier')),
        () => 'a barrier did not arrive',
      );
      expect(notifications.map(messages)).toEqual([
        ['Only for t1/u1', 'barrier'],
        ['barrier'],
        ['barrier'],
        ['barrier'],
      ]);
    });

    it('answers clients by the logic that its owner had, also where it was moved by hand', async () => {
      const [alice] = chat;
      const [bob] = notifications;
      const ask = (recorder: Recorder | undefined, event: string, payload: object) =>
        recorder?.socket.timeout(5_000).emitWithAck(event, payload);
      expect(await ask(alice, 'room.rules', { room: 'lobby' })).toEqual({
        ok: true,
        data: { room: 'lobby', rules: ['Be kind.'] },
      });
      expect(await ask(bob, 'notification.ping', {})).toEqual({ ok: true, data: 'pong' });
      expect(await ask(alice, 'message.send', { room: 'lobby', text: 'Hi' })).toEqual({
        ok: true,
        data: { room: 'lobby', text: 'Hi', tenantId: 't1' },
      });
    });

    it('takes no tenant and no room from a client', async () => {
      const stranger = chat.find(({ name }) => name === 't2/u1')!;
      const send = { room: 'lobby', text: 'Hi', tenantId: 't1' };
      const refused: unknown = await stranger.socket
        .timeout(5_000)
        .emitWithAck('message.send', send);
      expect(refused).toMatchObject({ ok: false, error: { code: 'VALIDATION' } });
      await stranger.socket.timeout(5_000).emitWithAck('room.join', { room: 'u2' });
      await publisher.publish('message.created', 't1', { room: 'u2', text: 'secret' }, 'chat');
      const stopped = (tenant: string, id: string): Promise<void> =>
        publisher.publish('typing.stopped', tenant, { id }, 'chat');
      for (const tenant of ['t1', 't2']) await stopped(tenant, 'after-secret');
      await until(
        () => chat.every(({ count }) => count('after-secret') === 1),
        () => 'a barrier did not arrive',
      );
      const heard = chat.filter(({ received }) =>
        received.some(({ event }) => event === 'message.created'),
      );
      expect(heard.map(({ name }) => name)).toEqual(['t1/u2']);
    });

    it('still consumes the queue of its owner, and settles what it takes', async () => {
      const connection = await connect(rabbit.url);
      const channel = await connection.createConfirmChannel();
      await until(
        async () => (await channel.checkQueue('orders')).consumerCount === 1,
        () => 'nobody consumes the queue "orders"',
      );
      for (const pattern of ['order.created', 'order.paid', 'order.cancelled', 'invoice.created']) {
        const body = JSON.stringify({ pattern, data: { id: '1' } });
        channel.sendToQueue('orders', Buffer.from(body), { persistent: true });
      }
      await channel.waitForConfirms();
      await until(
        async () => (await channel.checkQueue('orders')).messageCount === 0,
        () => 'the queue "orders" is not consumed',
      );
      // What was not settled is in the queue again when its consumer is gone.
      await server.stop(20_000);
      expect(await channel.checkQueue('orders')).toMatchObject({
        messageCount: 0,
        consumerCount: 0,
      });
      expect(await channel.checkQueue('realtime.api-gateway.dead')).toMatchObject({
        messageCount: 0,
      });
      await connection.close();
    });
  });
});

interface SarifRun {
  readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
  readonly results: readonly {
    readonly ruleId: string;
    readonly ruleIndex: number;
    readonly locations: readonly [
      { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } } },
    ];
  }[];
}

/** The recipe in the place of what the workspace came with, and its worker beside. */
function writeRecipe(host: Host): void {
  rmSync(host.path(API), { recursive: true });
  cpSync(join(RECIPE, 'apps/api/src'), host.path(API), { recursive: true });
  host.write(`${API}/assets/.gitkeep`, '');
  cpSync(join(RECIPE, 'apps/web/src'), host.path('apps/web/src'), { recursive: true });
  cpSync(join(RECIPE, 'apps/worker'), host.path('apps/worker'), { recursive: true });
  host.write('apps/worker/project.json', '{ "name": "worker", "sourceRoot": "apps/worker/src" }\n');
}

/** What the reports of review and adoption ask for, done as literally as they say it. */
function finish(host: Host): void {
  for (const path of [
    // Delete what is no longer used, ...
    `${API}/chat/chat.gateway.ts`,
    `${API}/notifications/notifications.gateway.ts`,
    `${API}/auth`,
    // ... take this line and the adapter out, ...
    `${API}/redis-io.adapter.ts`,
    // ... and use the hook of the domain in its place, with its store.
    'apps/web/src/hooks',
    'apps/web/src/stores/chat.store.ts',
  ]) {
    rmSync(host.path(path), { recursive: true });
  }
  const main = `${API}/main.ts`;
  // Read the secret from the environment, without a fallback.
  edit(
    host,
    `${API}/app.module.ts`,
    "process.env.JWT_SECRET ?? 'secret'",
    'process.env.JWT_SECRET',
  );
  edit(host, main, /import \{ RedisIoAdapter \}.*\n/, '');
  edit(host, main, /.*useWebSocketAdapter.*\n/, '');
  // Bind one queue to what the app consumes.
  edit(host, main, /(?<=^ {2}\}\);\n) {2}app\.connectMicroservice[^]*?\n {2}\}\);\n/m, '');
  const dead = (key: string): string =>
    `queueOptions: { durable: true, arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': '${key}' } }`;
  edit(host, main, 'queueOptions: { durable: true }', dead('realtime.api-gateway.dead'));
  // Call app.listen() first, and then app.startAllMicroservices() without waiting for it.
  edit(host, main, '  await app.startAllMicroservices();\n', '');
  edit(host, main, /(?<=await app\.listen.*\n)/, '  void app.startAllMicroservices();\n');

  const orders = `${API}/orders/orders.consumer.ts`;
  const settled = `try {
      await this.store(order.id);
      channel.ack(message);
    } catch {
      channel.nack(message, false, false);
    }`;
  // Settle with try, catch and nack(message, false, false); ack at the end of try, none in finally.
  edit(
    host,
    orders,
    /await this\.store\(order\.id\);\n\s+\/\/ finds: require-ack\n\s+channel\.ack\(message\);/,
    settled,
  );
  edit(
    host,
    orders,
    /\/\/ finds: no-requeue-on-error\n\s+channel\.nack\(message\);\n {4}\} finally \{[^]*?\n {4}\}/,
    'channel.nack(message, false, false);\n    }',
  );
  edit(
    host,
    orders,
    /async cancelled\(.*\n\s+await this\.store\(order\.id\);/,
    `async cancelled(@Payload() order: { id: string }, @Ctx() context: RmqContext) {
    const channel = context.getChannelRef();
    const message = context.getMessage();
    ${settled}`,
  );
  edit(
    host,
    `${API}/orders/invoices.consumer.ts`,
    /channel\.ack\(message\);\n\s+\/\/ finds: no-double-ack\n\s+(.*);/,
    '$1;\n      channel.ack(message);',
  );

  const worker = 'apps/worker/src/main.ts';
  edit(
    host,
    worker,
    "queue: 'mails',",
    `queue: 'mails',\n      noAck: false,\n      prefetchCount: 10,\n      ${dead('mails.dead')},`,
  );
  edit(host, worker, /console\.log\(.*\);/, 'this.logger.log(`Sending mail to ${mail.to}`);');
  edit(host, worker, 'import { Controller, Module }', 'import { Controller, Logger, Module }');
  edit(
    host,
    worker,
    'export class MailConsumer {',
    'export class MailConsumer {\n  private readonly logger = new Logger(MailConsumer.name);\n',
  );

  const service = `${API}/realtime/chats/chats.service.ts`;
  // The tenant comes from identity.tenantId.
  edit(
    host,
    service,
    /async messageSend\([^]*?\n {2}\}/,
    `async messageSend(payload: MessageSend, { tenantId }: RealtimeIdentity) {
    return this.chatService.save({ ...payload, tenantId });
  }`,
  );
}

function edit(host: Host, file: string, from: string | RegExp, to: string): void {
  const text = host.read(file);
  const next = text.replace(from, to);
  if (next === text) throw new Error(`${file} has no ${from}`);
  host.write(file, next);
}
