import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lintFolder } from './support/lint.js';

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    experimentalDecorators: true,
    noLib: true,
    types: [],
    paths: { '@acme/*': ['./libs/*'] },
  },
  include: ['**/*'],
});

const MAIN = `import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { AppModule } from './app.module';
const app = await NestFactory.create(AppModule);
`;

const OPEN_GATEWAY = `import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway({ namespace: '/chat' })
export class ChatGateway { @SubscribeMessage('ping') ping() { return 'pong'; } }
`;

const consumer = (body: string): string => `import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload, RmqContext } from '@nestjs/microservices';
@Controller()
export class OrdersConsumer {
  @EventPattern('order.created')
  created(@Payload() order: Order, @Ctx() context: RmqContext) { ${body} }
}
`;

const boot = (options: string): string =>
  `${MAIN}app.connectMicroservice({ transport: Transport.RMQ, options: ${options} });`;

const ACK = 'context.getChannelRef().ack(context.getMessage());';

describe('rules that look at the whole program', () => {
  const folders: string[] = [];

  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  /** What the named rule finds in a program of these files, as `file:line`. */
  async function find(rule: string, files: Readonly<Record<string, string>>): Promise<string[]> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nx-realtime-project-')));
    folders.push(folder);
    for (const [path, content] of Object.entries({ 'tsconfig.json': TSCONFIG, ...files })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const findings = await lintFolder(folder);
    return findings
      .filter((finding) => finding.rule === rule)
      .map(({ file, line }) => `${file}:${line}`)
      .sort();
  }

  describe('require-gateway-auth', () => {
    it('finds a gateway that nobody protects in a program that boots', async () => {
      const files = { 'src/main.ts': MAIN, 'src/chat.gateway.ts': OPEN_GATEWAY };
      expect(await find('require-gateway-auth', files)).toEqual(['src/chat.gateway.ts:2']);
    });

    it('leaves it to an adapter with a middleware', async () => {
      const files = {
        'src/main.ts': MAIN,
        'src/chat.gateway.ts': OPEN_GATEWAY,
        'src/auth.adapter.ts': `import { IoAdapter } from '@nestjs/platform-socket.io';
export class AuthAdapter extends IoAdapter {
  createIOServer(port, options) {
    const io = super.createIOServer(port, options);
    io.on('new_namespace', (namespace) => namespace.use(this.authenticate));
    return io;
  }
}`,
      };
      expect(await find('require-gateway-auth', files)).toEqual([]);
    });

    it('does not judge a library, whose app is in another program', async () => {
      expect(await find('require-gateway-auth', { 'src/chat.gateway.ts': OPEN_GATEWAY })).toEqual(
        [],
      );
    });

    it('leaves it to another gateway of the same namespace', async () => {
      const files = {
        'src/main.ts': MAIN,
        'src/chat.gateway.ts': OPEN_GATEWAY,
        'src/presence.gateway.ts': OPEN_GATEWAY.replace('ChatGateway', 'PresenceGateway')
          .replace(
            'ping()',
            'handleConnection(client) { if (!verify(client)) client.disconnect(); } ping()',
          )
          .replace("@SubscribeMessage('ping') ", ''),
      };
      expect(await find('require-gateway-auth', files)).toEqual([]);
      const elsewhere = files['src/presence.gateway.ts'].replace('/chat', '/presence');
      expect(
        await find('require-gateway-auth', { ...files, 'src/presence.gateway.ts': elsewhere }),
      ).toEqual(['src/chat.gateway.ts:2']);
    });

    it('leaves it to a decorator of the host that binds guards', async () => {
      const guarded = OPEN_GATEWAY.replace(
        '@WebSocketGateway',
        '@UseTeamGuards()\n@WebSocketGateway',
      );
      const files = { 'src/main.ts': MAIN, 'src/chat.gateway.ts': guarded };
      expect(await find('require-gateway-auth', files)).toEqual([]);
    });

    it('does not judge an adapter that is written for plain websockets', async () => {
      const files = {
        'src/main.ts': MAIN,
        'src/chat.gateway.ts': OPEN_GATEWAY,
        'src/own.adapter.ts': `import { AbstractWsAdapter } from '@nestjs/websockets';
export class OwnAdapter extends AbstractWsAdapter {}`,
      };
      expect(await find('require-gateway-auth', files)).toEqual([]);
    });

    it('sees through a base class and a mixin that ask nobody', async () => {
      const derived = OPEN_GATEWAY.replace(
        'class ChatGateway',
        'class ChatGateway extends Tracked(Base)',
      ).replace(
        "from '@nestjs/websockets';",
        "from '@nestjs/websockets';\nimport { Base, Tracked } from './base';",
      );
      const base = (body: string): string =>
        `// @nestjs/websockets\nexport class Base { ${body} }\nexport const Tracked = (Of) => class extends Of { seen = 0; };`;
      const files = { 'src/main.ts': MAIN, 'src/chat.gateway.ts': derived };
      expect(
        await find('require-gateway-auth', { ...files, 'src/base.ts': base('count = 0;') }),
      ).toEqual(['src/chat.gateway.ts:3']);
      expect(
        await find('require-gateway-auth', {
          ...files,
          'src/base.ts': base(
            'handleConnection(client) { if (!verify(client)) client.disconnect(); }',
          ),
        }),
      ).toEqual([]);
    });

    it('does not take a middleware that always goes on for one that asks', async () => {
      const passing = OPEN_GATEWAY.replace(
        '{ @Sub',
        '{ afterInit(io) { io.use((socket, next) => { this.nameVerify(socket.handshake.auth.name); next(); }); } @Sub',
      );
      const files = { 'src/main.ts': MAIN, 'src/chat.gateway.ts': passing };
      expect(await find('require-gateway-auth', files)).toEqual(['src/chat.gateway.ts:2']);
      const refusing = passing.replace('next();', 'next(this.error);');
      expect(
        await find('require-gateway-auth', { ...files, 'src/chat.gateway.ts': refusing }),
      ).toEqual([]);
    });

    it('does not judge plain websockets', async () => {
      const files = {
        'src/main.ts': `import { WsAdapter } from '@nestjs/platform-ws';\n${MAIN}app.useWebSocketAdapter(new WsAdapter(app));`,
        'src/chat.gateway.ts': OPEN_GATEWAY,
      };
      expect(await find('require-gateway-auth', files)).toEqual([]);
    });
  });

  describe('no-guard-on-connection', () => {
    const gateway = `import { UseGuards } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { Socket } from 'socket.io';
@UseGuards(JwtGuard)
@WebSocketGateway()
export class ChatGateway {
  handleConnection(client: Socket) { client.join(roomOf(client.data.user.id)); }
}`;

    it('finds a user that only a guard would set', async () => {
      const files = { 'src/main.ts': MAIN, 'src/chat.gateway.ts': gateway };
      expect(await find('no-guard-on-connection', files)).toEqual(['src/chat.gateway.ts:7']);
    });

    it.each(['tenantId', 'account', 'claims.sub'])(
      'finds %s, whatever it is called',
      async (name) => {
        const other = gateway.replace('client.data.user.id', `client.data.${name}`);
        const files = { 'src/main.ts': MAIN, 'src/chat.gateway.ts': other };
        expect(await find('no-guard-on-connection', files)).toEqual(['src/chat.gateway.ts:7']);
      },
    );

    it('finds what is taken apart, and a member of the socket itself', async () => {
      const apart = gateway.replace(
        'client.join(roomOf(client.data.user.id));',
        'const { tenantId } = client.data; client.join(roomOf(tenantId));',
      );
      const own = gateway.replace('client.data.user.id', 'client.member.id');
      for (const text of [apart, own]) {
        const files = { 'src/main.ts': MAIN, 'src/chat.gateway.ts': text };
        expect(await find('no-guard-on-connection', files)).toEqual(['src/chat.gateway.ts:7']);
      }
    });

    it('leaves alone what the gateway sets itself', async () => {
      const sets = gateway.replace(
        'client.join(',
        'client.data.user = await this.who(client.handshake.auth.token); client.join(',
      );
      const files = { 'src/main.ts': MAIN, 'src/chat.gateway.ts': sets };
      expect(await find('no-guard-on-connection', files)).toEqual([]);
    });

    it('leaves it to an adapter that may set it', async () => {
      const files = {
        'src/main.ts': MAIN,
        'src/chat.gateway.ts': gateway,
        'src/auth.adapter.ts': `import { IoAdapter } from '@nestjs/platform-socket.io';
export class AuthAdapter extends IoAdapter { createIOServer(port) { return super.createIOServer(port).use(auth); } }`,
      };
      expect(await find('no-guard-on-connection', files)).toEqual([]);
    });
  });

  it('knows a gateway under an alias and through a path mapping', async () => {
    const files = {
      'libs/chat.ts': `export { ChatGateway } from './chat.gateway';`,
      'libs/chat.gateway.ts': OPEN_GATEWAY,
      'src/chat.module.ts': `import { Module } from '@nestjs/common';
import { ChatGateway } from '@acme/chat';
@Module({ providers: [ChatGateway] })
export class ChatModule {}`,
      'src/orders.module.ts': `import { Module } from '@nestjs/common';
import { ChatGateway as Chat } from '../libs/chat.gateway';
@Module({
  providers: [Service, Chat],
})
export class OrdersModule {}`,
      // What a test makes is no second binding.
      'src/orders.spec.ts': `import { Module } from '@nestjs/common';
import { ChatGateway } from '@acme/chat';
@Module({ providers: [ChatGateway] })
class TestModule {}`,
    };
    expect(await find('gateway-in-one-module', files)).toEqual([
      'src/chat.module.ts:3',
      'src/orders.module.ts:4',
    ]);
  });

  it('finds a consumer of another file among the providers, and not one in the controllers', async () => {
    const files = {
      'src/orders.consumer.ts': consumer('return order;'),
      'src/orders.module.ts': `import { Module } from '@nestjs/common';
import { OrdersConsumer } from './orders.consumer';
@Module({ providers: [OrdersConsumer] })
export class OrdersModule {}`,
      'src/mail.consumer.ts': consumer('return order;').replace('OrdersConsumer', 'MailConsumer'),
      'src/mail.module.ts': `import { Module } from '@nestjs/common';
import { MailConsumer } from './mail.consumer';
@Module({ controllers: [MailConsumer] })
export class MailModule {}`,
    };
    expect(await find('consumer-in-controllers', files)).toEqual(['src/orders.module.ts:3']);
  });

  describe('acknowledgement', () => {
    it('finds an ack under the default, which is noAck', async () => {
      const files = {
        'src/main.ts': boot(`{ urls: [], queue: 'orders' }`),
        'src/orders.consumer.ts': consumer(ACK),
      };
      expect(await find('no-ack-under-no-ack', files)).toEqual(['src/orders.consumer.ts:6']);
    });

    it.each([
      ['false', `{ urls: [], queue: 'orders', noAck: false }`],
      ['computed', `{ urls: [], queue: 'orders', noAck: config.noAck }`],
    ])('leaves an ack alone where noAck is %s', async (_name, options) => {
      const files = { 'src/main.ts': boot(options), 'src/orders.consumer.ts': consumer(ACK) };
      expect(await find('no-ack-under-no-ack', files)).toEqual([]);
    });

    it('finds a handler that nobody acknowledges', async () => {
      const files = {
        'src/main.ts': boot(`{ urls: [], queue: 'orders', noAck: false }`),
        'src/orders.consumer.ts': consumer('return order;'),
      };
      expect(await find('require-ack', files)).toEqual(['src/orders.consumer.ts:6']);
    });

    it('does not where the context goes to somebody who may', async () => {
      const files = {
        'src/main.ts': boot(`{ urls: [], queue: 'orders', noAck: false }`),
        'src/orders.consumer.ts': consumer('return this.orders.handle(order, context);'),
      };
      expect(await find('require-ack', files)).toEqual([]);
    });

    it('does not where another microservice may be the one that acknowledges by itself', async () => {
      const files = {
        'src/main.ts': boot(`{ urls: [], queue: 'orders', noAck: false }`),
        'src/mail.ts': boot(`{ urls: [], queue: 'mails' }`),
        'src/orders.consumer.ts': consumer('return order;'),
      };
      expect(await find('require-ack', files)).toEqual([]);
    });
  });

  it('knows an equality function of a store in another file, and what golevelup does by default', async () => {
    const page = `import { useCartStore } from './cart.store';
export const useItems = () => useCartStore((state) => state.items.filter(Boolean));`;
    const store = (maker: string): string =>
      `import { ${maker} } from 'zustand/traditional';\nexport const useCartStore = ${maker}((set) => ({ items: [] }));`;
    expect(
      await find('no-unstable-selector', {
        'src/a.tsx': page,
        'src/cart.store.ts': store('create'),
      }),
    ).toEqual(['src/a.tsx:2']);
    expect(
      await find('no-unstable-selector', {
        'src/a.tsx': page,
        'src/cart.store.ts': store('createWithEqualityFn'),
      }),
    ).toEqual([]);
    const mails = `import { RabbitSubscribe } from '@golevelup/nestjs-rabbitmq';
export class Mails { @RabbitSubscribe({ queue: 'q', queueOptions: { deadLetterExchange: 'd' } }) a() { return f(); } }`;
    expect(await find('require-rabbit-error-behavior', { 'src/mails.ts': mails })).toEqual([
      'src/mails.ts:2',
    ]);
    expect(
      await find('require-rabbit-error-behavior', {
        'src/mails.ts': mails,
        'src/rabbit.ts': `import { MessageHandlerErrorBehavior, RabbitMQModule } from '@golevelup/nestjs-rabbitmq';
RabbitMQModule.forRoot({ defaultSubscribeErrorBehavior: MessageHandlerErrorBehavior.NACK });`,
      }),
    ).toEqual([]);
  });

  describe('require-dead-letter-exchange', () => {
    const named = boot(
      `{ queue: 'orders', noAck: false, queueOptions: { arguments: {\n'x-dead-letter-exchange': 'dlx' } } }`,
    );

    it('finds an exchange that nothing declares', async () => {
      expect(await find('require-dead-letter-exchange', { 'src/main.ts': named })).toEqual([
        'src/main.ts:6',
      ]);
    });

    it.each([
      ['by its name', `channel.assertExchange('dlx', 'topic');`],
      ['by a name that is computed', `channel.assertExchange(nameOf('dlx'), 'topic');`],
    ])('does not where one is declared %s', async (_name, code) => {
      const files = { 'src/main.ts': named, 'src/topology.ts': `import 'amqplib';\n${code}` };
      expect(await find('require-dead-letter-exchange', files)).toEqual([]);
    });
  });

  it('accepts algorithms that a module of another file pins', async () => {
    const gateway = `import { JwtService } from '@nestjs/jwt';
import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway()
export class ChatGateway {
  constructor(private readonly jwt: JwtService) {}
  check(token: string) { return this.jwt.verify(token); }
}`;
    expect(await find('require-jwt-algorithms', { 'src/chat.gateway.ts': gateway })).toEqual([
      'src/chat.gateway.ts:6',
    ]);
    const files = {
      'src/chat.gateway.ts': gateway,
      'src/auth.module.ts': `import { JwtModule } from '@nestjs/jwt';
export const jwt = JwtModule.register({ verifyOptions: { algorithms: ['HS256'] } });`,
    };
    expect(await find('require-jwt-algorithms', files)).toEqual([]);
  });

  it('compares the options of gateways across files', async () => {
    const gateway = (name: string, options: string): string =>
      `import { WebSocketGateway } from '@nestjs/websockets';\n@WebSocketGateway(${options})\nexport class ${name} {}`;
    const files = {
      'src/a.gateway.ts': gateway('A', `{ namespace: '/a', maxHttpBufferSize: 1 }`),
      'src/b.gateway.ts': gateway('B', `{ namespace: '/b' }`),
      'src/c.gateway.ts': gateway('C', `3001, { maxHttpBufferSize: 2 }`),
    };
    expect(await find('no-ignored-gateway-options', files)).toEqual(['src/a.gateway.ts:2']);
  });

  it('accepts one allowRequest and one list of transports for all gateways', async () => {
    const gateway = `import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway({ cors: { origin: 'https://app.example.com' } })
export class ChatGateway {}`;
    const adapter = `import { IoAdapter } from '@nestjs/platform-socket.io';
export class Adapter extends IoAdapter {
  createIOServer(port, options) {
    return super.createIOServer(port, { ...options, transports: ['websocket'], allowRequest: this.check });
  }
}`;
    const alone = { 'src/chat.gateway.ts': gateway };
    const both = { ...alone, 'src/adapter.ts': adapter };
    for (const rule of ['require-origin-check', 'websocket-only']) {
      expect(await find(rule, alone)).toEqual(['src/chat.gateway.ts:2']);
      expect(await find(rule, both)).toEqual([]);
    }
  });

  it('leaves tests and mocks alone', async () => {
    const code = `import { io } from 'socket.io-client';
const socket = io('/chat', { query: { token: 'x' }, reconnection: false });
socket.on('a', () => undefined);`;
    for (const path of [
      'test/client.ts',
      'src/chat.spec.ts',
      'apps/api-e2e/src/a.ts',
      '__mocks__/b.ts',
      'test-socket.ts',
    ]) {
      expect(await find('no-token-in-url', { [path]: code })).toEqual([]);
    }
    expect(await find('no-token-in-url', { 'src/latest/client.ts': code })).toHaveLength(1);
  });

  describe('the server kernel', () => {
    const HOST = `export const setupRealtime = async (app) => app;
export class HandshakeGuard { canActivate() { return true; } }
export const BrokerEvent = () => () => undefined;
`;
    const main = (line: string, call = 'setupRealtime(app)'): string =>
      `${MAIN.replace('const app', `${line}\nconst app`)}await ${call};\n`;

    it.each([
      ['by name', "import { setupRealtime } from '@nx-realtime/nest';", undefined],
      [
        'by another name',
        "import { setupRealtime as setup } from '@nx-realtime/nest';",
        'setup(app)',
      ],
      ['whole', "import * as nest from '@nx-realtime/nest';", 'nest.setupRealtime(app)'],
    ])('authenticates every namespace: imported %s', async (_, line, call) => {
      const plain = OPEN_GATEWAY.replace('{ namespace', "{ cors: { origin: '*' }, namespace");
      const files = { 'src/main.ts': main(line, call), 'src/chat.gateway.ts': plain };
      for (const rule of ['require-gateway-auth', 'require-origin-check', 'websocket-only']) {
        expect(await find(rule, files)).toEqual([]);
      }
    });

    it.each([
      ['of the host', "import { setupRealtime } from './host';", undefined],
      ['of another package', "import { setupRealtime } from '@acme/realtime';", undefined],
      ['a member of the host', "import * as nest from './host';", 'nest.setupRealtime(app)'],
      [
        'another function',
        "import { setup as setupRealtime } from '@nx-realtime/nest';",
        undefined,
      ],
    ])('is not what has its name: %s', async (_, line, call) => {
      const files = {
        'src/host.ts': HOST,
        'src/main.ts': main(line, call),
        'src/chat.gateway.ts': OPEN_GATEWAY,
      };
      expect(await find('require-gateway-auth', files)).toEqual(['src/chat.gateway.ts:2']);
    });

    const guarded = `import { UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { TeamGuard } from './team.guard';
@WebSocketGateway({ namespace: '/chat' })
@UseGuards(TeamGuard)
export class ChatGateway {
  handleConnection(client) { this.online.add(client.data.identity.userId); }
  @SubscribeMessage('ping') ping() { return 'pong'; }
}
`;
    const guards = (from: string) => ({
      'src/main.ts': MAIN,
      'src/host.ts': HOST,
      'src/chat.gateway.ts': guarded,
      'src/base.guard.ts': `import { HandshakeGuard } from '${from}';
export class BaseGuard extends HandshakeGuard {}
`,
      'src/team.guard.ts': `import { BaseGuard } from './base.guard';
export class TeamGuard extends BaseGuard {}
`,
    });

    it('runs its guard before a client is connected', async () => {
      const rule = 'no-guard-on-connection';
      expect(await find(rule, guards('@nx-realtime/nest'))).toEqual([]);
      expect(await find(rule, guards('./host'))).toEqual(['src/chat.gateway.ts:7']);
    });

    it('needs its consumers among the controllers', async () => {
      const consumerOf = (
        from: string,
      ): string => `import { Controller, Module } from '@nestjs/common';
import { BrokerEvent } from '${from}';
@Controller()
export class OrdersConsumer { @BrokerEvent('order.created') created() {} }
@Module({ providers: [OrdersConsumer] })
export class OrdersModule {}
`;
      const rule = 'consumer-in-controllers';
      expect(await find(rule, { 'src/a.ts': consumerOf('@nx-realtime/nest') })).toEqual([
        'src/a.ts:5',
      ]);
      expect(await find(rule, { 'src/host.ts': HOST, 'src/a.ts': consumerOf('./host') })).toEqual(
        [],
      );
    });
  });
});
