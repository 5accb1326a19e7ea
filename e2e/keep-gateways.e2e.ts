import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { createHost, installPlugin, type Host } from './support/host';
import type { Running } from './support/processes';
import { choosePorts, JWT_SECRET, startApiEmbedded, urlsOf, type Ports } from './support/stack';
import { mintToken } from './support/token';

const CHAT = `import { OnGatewayConnection, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Socket } from 'socket.io';

@WebSocketGateway({ cors: true })
export class ChatGateway implements OnGatewayConnection {
  handleConnection(client: Socket) {
    client.emit('welcome', client.nsp.name);
  }

  @SubscribeMessage('say')
  say() {
    return 'said';
  }
}
`;

/** An app that has a gateway from before, on the root namespace and without a token. */
describe('a gateway from before that is kept', () => {
  let host: Host;
  let ports: Ports;
  let server: Running;
  const sockets: Socket[] = [];

  const connect = (namespace: string, options: Partial<ManagerOptions & SocketOptions>): Socket => {
    const socket = io(`${urlsOf(ports).api}${namespace}`, { reconnection: false, ...options });
    sockets.push(socket);
    return socket;
  };
  const heard = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => socket.once(event, resolve));
  const ours = (token?: string): Socket =>
    connect('/notifications', {
      path: '/realtime',
      transports: ['websocket'],
      auth: { token },
    });

  beforeAll(async () => {
    host = await createHost('integrated', 'keep-gateways');
    ports = await choosePorts();
    await host.run('npm install --save @nestjs/websockets@^11 @nestjs/platform-socket.io@^11');
    host.write('apps/api-gateway/src/chat/chat.gateway.ts', CHAT);
    const module = 'apps/api-gateway/src/app/app.module.ts';
    host.write(
      module,
      `import { ChatGateway } from '../chat/chat.gateway';\n${host.read(module).replace('providers: [', 'providers: [ChatGateway, ')}`,
    );
    await installPlugin(host);
    host.commit('A gateway');
  });

  afterAll(async () => {
    sockets.forEach((socket) => socket.disconnect());
    await server?.stop();
  });

  it('is named, and stays so in later runs', async () => {
    const told = await host.run('npx nx g realtime-domain Notification --keepGateways');
    expect(told).toMatch(/without any protection[^]*chat\.gateway\.ts:4 {2}ChatGateway/);
    expect(host.read('apps/api-gateway/.env.local')).toContain('REALTIME_PATH=/realtime\n');
    host.commit('Notification');
    await host.run(`npx nx g realtime-domain Notification --clientEvents='markRead{id}'`);
    const module = host.read('apps/api-gateway/src/realtime/realtime.module.ts');
    expect(module).toContain('keepGateways: [ChatGateway],');
    const { code, output } = await host.tryRun('npx nx run api-gateway:realtime-check');
    expect([code, output]).toEqual([0, expect.stringContaining('ChatGateway')]);
    await host.run('npx nx build api-gateway');
    await host.run('npx tsc --noEmit --incremental false -p apps/web/tsconfig.json');
  });

  it('serves its clients as before, while ours take tokens alone', async () => {
    server = await startApiEmbedded(host, ports, { REALTIME_PATH: '/realtime' });
    for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
      const chat = connect('', { transports });
      expect(await heard(chat, 'welcome')).toBe('/');
      expect(await chat.timeout(5_000).emitWithAck('say', {})).toBe('said');
    }
    expect(await heard(ours(), 'connect_error')).toMatchObject({ data: { code: 'UNAUTHORIZED' } });
    await heard(ours(mintToken(JWT_SECRET, { tenantId: 't1', sub: 'u1' })), 'connect');
    // Our namespace is not on the kept server, with or without a token.
    const elsewhere = connect('/notifications', { transports: ['websocket'] });
    expect(await heard(elsewhere, 'connect_error')).toMatchObject({ message: 'Invalid namespace' });
  });
});
