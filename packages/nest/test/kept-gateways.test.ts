import { WsAuthGuard } from '@kernel/guards/ws-auth.guard';
import { type INestApplication, Module, type Type, UseFilters, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import type { AddressInfo } from 'node:net';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { setupRealtime } from '../src/lifecycle/setup-realtime';
import { RealtimeCoreModule } from '../src/lifecycle/realtime-core.module';
import { Broadcaster } from '../src/events/broadcaster';
import { AckExceptionFilter } from '../src/events/client-event';
import { freePorts } from './support/brokers.js';
import { connected, ENV, once, ORIGIN, refused, sign } from './support/stack.js';

/** As an app has them before: what each sees is kept by name. */
const seen: string[] = [];

abstract class LegacyGateway {
  @WebSocketServer() readonly server!: { emit(event: string, body: unknown): void };

  handleConnection(): void {
    seen.push(`${this.constructor.name} connected`);
  }

  handleDisconnect(): void {
    seen.push(`${this.constructor.name} disconnected`);
  }

  @SubscribeMessage('say')
  say(@ConnectedSocket() client: unknown, @MessageBody() body: unknown) {
    return { event: 'said', data: { by: this.constructor.name, body, isKnown: Boolean(client) } };
  }

  @SubscribeMessage('ask')
  ask(@MessageBody() body: unknown) {
    return { ok: 'as before', body };
  }
}

@WebSocketGateway({ cors: true })
class RootGateway extends LegacyGateway {}

@WebSocketGateway({ namespace: 'chat', cors: { origin: '*' } })
class NamedGateway extends LegacyGateway {}

@WebSocketGateway({ path: '/ws' })
class PathGateway extends LegacyGateway {}

@WebSocketGateway({
  path: '/slow',
  allowRequest: (_request, answer) => void setTimeout(() => answer(null, true), 1_500),
})
class SlowGateway extends LegacyGateway {}

/** Its port is free when the tests begin. */
class PortGateway extends LegacyGateway {}

@WebSocketGateway({ namespace: '/chat' })
@UseGuards(WsAuthGuard)
@UseFilters(AckExceptionFilter)
class OurGateway {
  @SubscribeMessage('say')
  say(@MessageBody() body: unknown): unknown {
    return { ours: body };
  }
}

const KEPT = [RootGateway, NamedGateway, PathGateway, PortGateway] as const;
let ownPort = 0;
const apps: INestApplication[] = [];
const clients: Socket[] = [];
const lines: string[] = [];

beforeAll(async () => {
  [ownPort] = await freePorts();
  WebSocketGateway(ownPort)(PortGateway);
});

afterEach(async () => {
  clients.splice(0).forEach((client) => client.disconnect());
  await Promise.all(apps.splice(0).map((app) => app.close()));
  seen.length = 0;
  lines.length = 0;
});

async function start(
  keepGateways: readonly Type[],
  {
    gateways = keepGateways,
    path = '/realtime',
  }: { gateways?: readonly Type[]; path?: string } = {},
): Promise<{ app: INestApplication; port: number }> {
  const [tcp] = await freePorts();
  const env = { ...ENV, REALTIME_TCP_PORT: tcp, REALTIME_PATH: path };

  @Module({
    imports: [
      RealtimeCoreModule.forRoot({
        app: 'kept',
        guard: WsAuthGuard,
        rooms: { '/chat': 'tenant' },
        env,
        keepGateways,
      }),
    ],
    // Nest binds in this order: ours comes between them.
    providers: [...gateways.slice(0, 1), OurGateway, ...gateways.slice(1), WsAuthGuard],
  })
  class AppModule {}

  const write = (line: unknown) => void lines.push(String(line));
  const logger = { log: write, warn: write, error: write, fatal: write };
  const app = await NestFactory.create(AppModule, { logger });
  apps.push(app);
  await setupRealtime(app);
  await app.listen(0, '127.0.0.1');
  return { app, port: (app.getHttpServer().address() as AddressInfo).port };
}

function open(
  port: number,
  namespace: string,
  options: Partial<ManagerOptions & SocketOptions> = {},
): Socket {
  const client = io(`http://127.0.0.1:${port}${namespace}`, {
    forceNew: true,
    reconnection: false,
    autoConnect: false,
    extraHeaders: { origin: 'https://anywhere.example' },
    ...options,
  });
  clients.push(client);
  return client;
}

const ours = (port: number, namespace = '/chat', options: object = {}): Socket =>
  open(port, namespace, {
    path: '/realtime',
    transports: ['websocket'],
    extraHeaders: { origin: ORIGIN },
    ...options,
  });

/** Where each is reached by clients that were written before. */
const reach = (port: number): Record<string, [number, string, Partial<ManagerOptions>]> => ({
  RootGateway: [port, '/', {}],
  NamedGateway: [port, '/chat', {}],
  PathGateway: [port, '/', { path: '/ws' }],
  PortGateway: [ownPort, '/', {}],
});

describe('gateways that are kept', () => {
  it.each([[['polling', 'websocket']], [['polling']], [['websocket']]])(
    'work as before by %s, of any origin and without a token',
    async (transports) => {
      const { port } = await start(KEPT);
      for (const [name, [at, namespace, options]] of Object.entries(reach(port))) {
        const client = open(at, namespace, { ...options, transports });
        await connected(client);
        const said = once(client, 'said');
        client.emit('say', 'hi');
        expect(await said).toEqual([{ by: name, body: 'hi', isKnown: true }]);
        const answer: unknown = await client.timeout(5_000).emitWithAck('ask', 1);
        expect(answer).toEqual({ ok: 'as before', body: 1 });
        client.disconnect();
        await vi.waitFor(() => expect(seen).toContain(`${name} disconnected`));
        expect(seen.filter((line) => line === `${name} connected`)).toHaveLength(1);
      }
    },
  );

  it('hear their own server, and nothing of ours on a namespace of the same name', async () => {
    const { app, port } = await start(KEPT);
    const heard: string[] = [];
    for (const [name, [at, namespace, options]] of Object.entries(reach(port))) {
      const client = open(at, namespace, options);
      client.onAny((event: string) => heard.push(`${name} ${event}`));
      await connected(client);
    }
    const member = ours(port, '/chat', { auth: { token: sign() } });
    member.onAny((event: string) => heard.push(`ours ${event}`));
    await connected(member);
    const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };
    app
      .get(Broadcaster)
      .namespace<Record<string, (body: null) => void>>('/chat')
      .toTenant('t1', 'chat.secret', null, meta);
    await vi.waitFor(() => expect(heard).toEqual(['ours chat.secret']));
    for (const gateway of KEPT) app.get<LegacyGateway>(gateway).server.emit('news', gateway.name);
    await vi.waitFor(() => expect(heard).toHaveLength(5));
    expect(heard.slice(1).sort()).toEqual([
      'NamedGateway news',
      'PathGateway news',
      'PortGateway news',
      'RootGateway news',
    ]);
    expect(await member.timeout(5_000).emitWithAck('say', 1)).toEqual({
      ok: true,
      data: { ours: 1 },
    });
    const kept = open(port, '/chat');
    await connected(kept);
    const said = once(kept, 'said');
    kept.emit('say', 2);
    expect(await said).toMatchObject([{ by: 'NamedGateway' }]);
  });

  it('open nothing of ours', async () => {
    const { port } = await start(KEPT);
    const token = sign();
    expect(await refused(ours(port))).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await refused(ours(port, '/', { auth: { token } }))).toMatchObject({
      code: 'NAMESPACE_REQUIRED',
    });
    const foreign = { auth: { token }, extraHeaders: { origin: 'https://anywhere.example' } };
    await refused(ours(port, '/chat', foreign));
    await refused(ours(port, '/chat', { auth: { token }, transports: ['polling'] }));
    for (const path of ['/socket.io', '/ws']) {
      const client = open(port, path === '/ws' ? '/chat' : '/elsewhere', { path, auth: { token } });
      expect(await refused(client)).toMatchObject({ message: 'Invalid namespace' });
    }
    expect(seen).toEqual([]);
  });

  it('are named at each boot', async () => {
    await start(KEPT);
    const said = lines.filter((line) => line.includes('keepGateways'));
    expect(said).toEqual([
      expect.stringContaining(
        'Not protected, by keepGateways: RootGateway, NamedGateway, PathGateway, PortGateway.',
      ),
    ]);
    expect(lines.filter((line) => /no effect|no namespace/.test(line))).toEqual([]);
  });

  it('have their time to let a client in', async () => {
    const { port } = await start([SlowGateway]);
    await connected(open(port, '/', { path: '/slow', transports: ['websocket'] }));
  });

  it.each([
    ['the path of ours', RootGateway, '/socket.io'],
    ['the path of ours', PathGateway, '/ws'],
    ['a path that ours begins with', PathGateway, '/ws/ours'],
  ])('are refused at boot on %s', async (_name, gateway, path) => {
    await expect(start([gateway], { path })).rejects.toThrow(
      new RegExp(`${gateway.name} is on the port of the app and on the path of ours, ${path}\\.`),
    );
  });

  it('on a port of their own share no path with ours', async () => {
    const { port } = await start([PortGateway], { path: '/socket.io' });
    await connected(open(ownPort, '/'));
    await connected(ours(port, '/chat', { path: '/socket.io', auth: { token: sign() } }));
  });
});

describe('gateways that are not kept', () => {
  it.each([
    ['none', []],
    ['another', [PortGateway]],
  ])('are protected where %s is, also those that an app before has kept', async (_name, kept) => {
    await start(KEPT);
    await apps.splice(0)[0]?.close();
    lines.length = 0;
    const { port } = await start(kept, { gateways: KEPT });
    await expect(refused(open(port, '/'))).resolves.toBeDefined();
    await expect(refused(open(port, '/', { path: '/ws' }))).resolves.toBeDefined();
    expect(await refused(ours(port, '/'))).toMatchObject({ code: 'NAMESPACE_REQUIRED' });
    expect(await refused(ours(port, '/chat'))).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(seen).toEqual([]);
    expect(lines.some((line) => line.includes('RootGateway has no namespace'))).toBe(true);
  });
});
