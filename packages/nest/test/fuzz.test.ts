import { Broadcaster } from '../src/events/broadcaster';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../src/config/realtime.config';
import { DocumentsPolicy } from '@kernel/documents/documents.policy';
import { RealtimeModule } from '@kernel/realtime.module';
import { setupRealtime } from '../src/lifecycle/setup-realtime';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { memory } from './support/memory.js';
import { freePorts } from './support/brokers.js';
import { Random } from '../../plugin/test/support/random.js';
import { frame, RawClient, upgradeRequest } from './support/raw-client.js';
import { connected, ENV, ORIGIN, sign, wait } from './support/stack.js';

/** `npm run test:all` gives more. */
const SECONDS = Number(process.env['KERNEL_FUZZ_SECONDS'] ?? 20);
/** That of a run that failed repeats its attacks, but for their timing and their tokens. */
const SEED = Number(process.env['KERNEL_FUZZ_SEED'] ?? Date.now() % 2 ** 31);

const NAMESPACES = ['/notifications', '/chats', '/documents'];
/** Attackers may subscribe to it as well, each in a tenant of their own. */
const RESOURCE = 'd1';
/** Nothing that is made up spells their ids: what reaches them was meant for them. */
const CANARIES = ['canary-1', 'canary-2'];
const SECRET = `secret-${SEED}`;
const WANTED_ANSWERS = SECONDS * 10;
const MAX_GROWTH_BYTES = 32 * 1_048_576;
const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };

/** So high that limits leave the rest of the kernel to be attacked. */
const UNLIMITED = Object.fromEntries(
  ['EVENTS', 'USER_EVENTS', 'HANDSHAKES'].flatMap((name) => [
    [`REALTIME_RATE_${name}`, '1000000'],
    [`REALTIME_RATE_${name}_BURST`, '1000000'],
  ]),
);

describe(`fuzzing for ${SECONDS} s with KERNEL_FUZZ_SEED=${SEED}`, () => {
  /** Of the attack that is being made up: the seed and its number decide all of it. */
  let random = new Random(SEED);
  let made = 0;
  let app: INestApplication;
  let port = 0;
  let brokerPort = 0;
  let sent = 0;
  let answers = 0;
  const canaries: { client: Socket; namespace: string; tenant: string; got: unknown[] }[] = [];
  /** What attackers received that they must not, and answers of another shape. */
  const leaks: string[] = [];
  const attacks = new Map<string, number>();

  beforeAll(async () => {
    [brokerPort] = await freePorts();
    const env = {
      ...ENV,
      ...UNLIMITED,
      REALTIME_MAX_CONNECTIONS_PER_USER: '10000',
      REALTIME_TCP_PORT: String(brokerPort),
    };
    const module = await Test.createTestingModule({ imports: [RealtimeModule] })
      .overrideProvider(REALTIME_CONFIG)
      .useValue(loadRealtimeConfig(env))
      .compile();
    app = module.createNestApplication({ logger: false });
    await setupRealtime(app);
    await app.listen(0, '127.0.0.1');
    app.get(DocumentsPolicy).canSubscribe = () => Promise.resolve(true);
    port = (app.getHttpServer().address() as AddressInfo).port;
    for (const tenant of CANARIES) {
      for (const namespace of NAMESPACES) {
        const client = io(`http://127.0.0.1:${port}${namespace}`, {
          transports: ['websocket'],
          forceNew: true,
          reconnection: false,
          autoConnect: false,
          auth: { token: sign({ tenantId: tenant, sub: 'u1' }, { expiresIn: 3_600 }) },
        });
        const got: unknown[] = [];
        client.onAny((event: string, payload: unknown) => got.push([event, payload]));
        client.on('disconnect', (reason) => leaks.push(`a canary was disconnected: ${reason}`));
        canaries.push({ client, namespace, tenant, got });
        await connected(client);
        if (namespace === '/documents') {
          await client.emitWithAck('document.subscribe', { id: RESOURCE });
        }
      }
    }
  });
  afterAll(async () => {
    canaries.forEach(({ client }) => client.off('disconnect').disconnect());
    await app?.close();
  });

  /** An event of its own for each canary. */
  const feed = (): void => {
    sent += 1;
    for (const { namespace, tenant } of canaries) {
      const payload = `${SECRET} ${tenant} ${namespace} ${sent}`;
      const domain = app
        .get(Broadcaster)
        .namespace<Record<string, (payload: string) => void>>(namespace);
      if (namespace === '/documents') domain.toResource(tenant, RESOURCE, 'tick', payload, meta);
      else domain.toUser(tenant, 'u1', 'tick', payload, meta);
    }
  };

  /** Once those that the attackers have closed are gone. */
  const openConnections = async (): Promise<number> => {
    const server = app.getHttpServer() as Server;
    for (let i = 0; ; i++) {
      const count = await new Promise<number>((resolve, reject) =>
        server.getConnections((error, found) => (error ? reject(error) : resolve(found))),
      );
      if (count <= canaries.length || i === 100) return count;
      await wait(20);
    }
  };

  const inspect = (text: string): void => {
    if (text.includes(SECRET)) leaks.push(text.slice(0, 500));
  };

  const raw = async (client: RawClient): Promise<void> => {
    await wait(20 + random.int(30));
    inspect(client.received);
    client.end();
  };

  /** Sends packets on a connection of the attacker's own, once all of `first` are answered. */
  const packets = async (
    rest: readonly (string | Buffer)[],
    first: readonly string[] = [],
  ): Promise<void> => {
    let unanswered = first.length;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
      origin: ORIGIN,
    });
    const acknowledged = new Set<string>();
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const text = String(data);
      inspect(text);
      if (text.startsWith('0{')) first.forEach((packet) => socket.send(packet));
      else if (/^4[04]/.test(text)) unanswered -= 1;
      if (unanswered === 0) {
        unanswered = -1;
        rest.forEach((packet) => socket.send(packet));
      }
      const [, id, body] = /^43\/[^,]*,([^[]+)(\[.*)$/s.exec(text) ?? [];
      if (id === undefined || body === undefined) return;
      const [ack, ...more] = JSON.parse(body) as { ok?: unknown; error?: { code?: unknown } }[];
      const isShaped = ack?.ok === true ? 'data' in ack : typeof ack?.error?.code === 'string';
      if (more.length > 0 || !isShaped) leaks.push(`an acknowledgement like ${text}`);
      // Ids are given once each, except by accident.
      if (acknowledged.has(id) && Number(id) >= 1_000) leaks.push(`acknowledged twice: ${text}`);
      acknowledged.add(id);
      answers += 1;
    });
    await wait(30 + random.int(50));
    socket.terminate();
  };

  let ids = 1_000;
  const connectPacket = (): string => {
    const auth = random.pick([
      { token: sign({ tenantId: 'attacker', sub: random.text() || 'u' }) },
      { token: sign({ tenantId: random.json(1), sub: random.json(1) }) },
      { token: random.json() },
      random.json(),
    ]);
    return `40${random.pick([...NAMESPACES, '/', '/nowhere'])},${JSON.stringify(auth)}`;
  };
  const eventPacket = (): string => {
    const namespace = random.pick(NAMESPACES);
    const event = random.pick([
      'notification.markRead',
      'notification.markRead',
      'realtime.refresh',
      'realtime.expired',
      'document.subscribe',
      'document.unsubscribe',
      random.text(),
    ]);
    const args = random.list(3, () =>
      random.pick<() => unknown>([
        () => ({ notificationId: random.json(2) }),
        () => ({ id: random.chance(0.5) ? RESOURCE : random.json(2) }),
        () => random.json(),
      ])(),
    );
    return `42${namespace},${random.chance(0.8) ? ids++ : ''}${JSON.stringify([event, ...args])}`;
  };
  const brokenPacket = (): string | Buffer =>
    random.pick<() => string | Buffer>([
      () => random.mutate(eventPacket()),
      () => random.mutate(connectPacket()),
      () => `4${random.int(9)}${random.text()}`,
      () => `${random.int(9)}${random.text()}`,
      () => random.bytes(200),
      () =>
        `45${random.pick(['', '1', '10', '11', '99999999999'])}-${random.pick(NAMESPACES)},["x",{"_placeholder":true,"num":${random.pick([0, -1, 1e9])}}]`,
      () => `42${random.pick(NAMESPACES)}?${random.text()},["notification.markRead"]`,
      () => `42${random.pick(NAMESPACES)},${'['.repeat(random.int(20_000))}`,
      () =>
        `42${random.pick(NAMESPACES)},${'9'.repeat(random.int(400))}["notification.markRead",{}]`,
      () => `41${random.pick(NAMESPACES)},`,
      () => `43${random.pick(NAMESPACES)},${random.int(5)}[${JSON.stringify(random.json())}]`,
      () => `44${random.pick(NAMESPACES)},${JSON.stringify(random.json())}`,
    ])();

  const own = (namespace = random.pick(NAMESPACES)): string =>
    `40${namespace},${JSON.stringify({ token: sign({ tenantId: 'attacker', sub: 'u1' }) })}`;

  const brokerMessage = (): string | Buffer => {
    const tenantId = random.pick<unknown>([
      'attacker',
      ...CANARIES.flatMap((id) => [[id], `${id}\n`, ` ${id}`, { id }, `t:${id}`, `${id}:u:u1`]),
      random.json(1),
    ]);
    const payload = random.pick<unknown>([
      { id: '1', message: random.text(), type: 'info', userId: random.json(1) },
      random.json(),
    ]);
    const body = random.pick<unknown>([
      { pattern: 'notification.created', data: { tenantId, notification: payload } },
      { pattern: random.text(), data: { tenantId, notification: payload }, id: random.json(1) },
      { pattern: random.json(1), data: random.json() },
      random.json(),
    ]);
    const text = random.chance(0.3) ? random.mutate(JSON.stringify(body)) : JSON.stringify(body);
    const length = random.chance(0.9) ? text.length : random.int(100_000);
    return random.chance(0.9) ? `${length}#${text}` : random.bytes(300);
  };

  const ATTACKS: Readonly<Record<string, () => Promise<void>>> = {
    'random bytes': () => raw(RawClient.write(port, random.bytes(2_000))),
    'a mutated upgrade': () =>
      raw(RawClient.write(port, random.mutate(upgradeRequest()), random.bytes(200))),
    'random frames': () =>
      raw(
        RawClient.upgrade(
          port,
          ...random.list(20, () =>
            frame(random.chance(0.5) ? own() : random.bytes(300), {
              opcode: random.pick([0, 1, 1, 1, 2, 3, 8, 9, 10, 15]),
              fin: random.chance(0.7),
              rsv1: random.chance(0.1),
              length: random.chance(0.1) ? random.int(2 ** 31 - 1) : -1,
            }),
          ),
        ),
      ),
    'random packets': () => packets(random.list(30, brokenPacket)),
    'random packets after a token': () => packets(random.list(30, brokenPacket), [own()]),
    'random connects': () => packets(random.list(30, connectPacket)),
    'random events': () =>
      packets(
        random.list(40, eventPacket),
        NAMESPACES.map((namespace) => own(namespace)),
      ),
    'random broker messages': async () => {
      const socket = connect(brokerPort, '127.0.0.1').on('error', () => undefined);
      random.list(10, brokerMessage).forEach((message) => socket.write(message));
      await wait(20 + random.int(20));
      socket.destroy();
    },
  };

  it(
    'ends nothing, reaches nobody else, and leaves nothing behind',
    async () => {
      const started = Date.now();
      const elapsed = (): number => (Date.now() - started) / 1_000;
      const attacker = async (): Promise<void> => {
        // On a busy machine it takes longer to attack as much.
        while (elapsed() < SECONDS || (answers <= WANTED_ANSWERS && elapsed() < 5 * SECONDS)) {
          random = new Random(SEED + made++);
          const [name, attack] = random.pick(Object.entries(ATTACKS));
          attacks.set(name, (attacks.get(name) ?? 0) + 1);
          await attack();
        }
      };
      const feeder = setInterval(feed, 50);
      const attackers = Promise.all(Array.from({ length: 6 }, attacker));
      // Compiled, cached and pooled by then.
      await wait(SECONDS * 250);
      const before = memory().heapUsed;
      await attackers;
      clearInterval(feeder);

      feed();
      const last = (tenant: string, namespace: string): string =>
        `${SECRET} ${tenant} ${namespace} ${sent}`;
      for (const { tenant, namespace, got } of canaries) {
        for (let i = 0; i < 200; i++) {
          if (JSON.stringify(got.at(-1)) === JSON.stringify(['tick', last(tenant, namespace)]))
            break;
          await wait(10);
        }
        const expected = Array.from({ length: sent }, (_, index) => [
          'tick',
          `${SECRET} ${tenant} ${namespace} ${index + 1}`,
        ]);
        expect(got).toEqual(expected);
      }
      expect(leaks).toEqual([]);
      expect([...attacks.keys()].sort()).toEqual(Object.keys(ATTACKS).sort());

      const ack: unknown = await canaries
        .find(({ namespace }) => namespace === '/notifications')
        ?.client.timeout(2_000)
        .emitWithAck('notification.markRead', { notificationId: '1' });
      expect(ack).toMatchObject({ ok: true });
      // Without them the events were held back, and nothing was attacked.
      expect(answers).toBeGreaterThan(WANTED_ANSWERS);
      expect(await openConnections()).toBe(canaries.length);
      expect(memory().heapUsed - before).toBeLessThan(MAX_GROWTH_BYTES);
    },
    (5 * SECONDS + 30) * 1_000,
  );
});
