import { gateway, testRule } from './support/cases.js';

const SERVICE = `import { RabbitRPC, RabbitSubscribe, MessageHandlerErrorBehavior } from '@golevelup/nestjs-rabbitmq';
`;
const rabbit = (options: string, body = 'return this.mails.send(message);'): string =>
  `${SERVICE}export class MailConsumer { @RabbitSubscribe({ ${options} }) async sent(message) { ${body} } }`;

testRule('require-rabbit-error-behavior', {
  valid: [
    rabbit(
      `exchange: 'e', queue: 'q', errorBehavior: MessageHandlerErrorBehavior.NACK, queueOptions: { deadLetterExchange: 'dead' }`,
    ),
    rabbit(
      `exchange: 'e', queue: 'q', errorBehavior: MessageHandlerErrorBehavior.NACK, queueOptions: { arguments: { 'x-dead-letter-exchange': 'dead' } }`,
    ),
    rabbit(`exchange: 'e', queue: 'q', errorBehavior: MessageHandlerErrorBehavior.ACK`),
    rabbit(`exchange: 'e', errorHandler: ownHandler`),
    rabbit(`...OPTIONS`),
    // Nothing of it reaches the library.
    rabbit(
      `exchange: 'e', queue: 'q'`,
      `try { await this.mails.send(message); } catch (error) { this.log(error); return new Nack(); }`,
    ),
    `${SERVICE}export class A { @RabbitRPC({ exchange: 'e', queue: 'q' }) ask() { return this.find(); } }`,
    `import { RabbitSubscribe } from './own'; import '@golevelup/nestjs-rabbitmq';
export class A { @RabbitSubscribe({ queue: 'q' }) a() { return 1; } }`,
  ],
  invalid: [
    { code: rabbit(`exchange: 'e', queue: 'q'`), errors: ['requeue'] },
    {
      code: rabbit(`exchange: 'e', queue: 'q', errorBehavior: MessageHandlerErrorBehavior.REQUEUE`),
      errors: ['chosen'],
    },
    {
      code: rabbit(
        `exchange: 'e', queue: 'q', errorBehavior: MessageHandlerErrorBehavior.NACK, queueOptions: { durable: true }`,
      ),
      errors: ['deadLetter'],
    },
    {
      code: rabbit(
        `exchange: 'e', queue: 'q'`,
        `try { await this.mails.send(message); } catch (error) { this.log(error); throw error; }`,
      ),
      errors: ['requeue'],
    },
  ],
});

const throws = (body: string, decorators = ''): string =>
  gateway(
    `${decorators} @SubscribeMessage('x') async x(@MessageBody() dto: Dto) { ${body} }`,
  ).replace(
    "'@nestjs/common';",
    "'@nestjs/common';\nimport { BadRequestException, HttpException, UseFilters } from '@nestjs/common';",
  );

testRule('no-http-exception-in-gateway', {
  valid: [
    throws(`throw new WsException('no');`),
    throws(`throw new BadRequestException('no');`, '@UseFilters(WsFilter)'),
    throws(`try { throw new BadRequestException('no'); } catch (error) { return { error }; }`),
    // No handler of a socket.
    gateway(`find() { throw new BadRequestException('no'); }`),
    // One of the host's own.
    gateway(`@SubscribeMessage('x') x() { throw new BadRequestException('no'); }`),
  ],
  invalid: [
    {
      code: throws(`if (!dto.id) throw new BadRequestException('no'); return 1;`),
      errors: ['http'],
    },
    { code: throws(`throw new HttpException('no', 402);`), errors: ['http'] },
  ],
});

testRule('no-stack-to-client', {
  valid: [
    gateway(
      `fail(client: Socket, error: Error) { this.logger.error(error.stack); client.emit('failed', { code: 'E1' }); }`,
    ),
    gateway(
      `@SubscribeMessage('x') x() { try { return 1; } catch (error) { this.log(error.stack); return { ok: false }; } }`,
    ),
    gateway(`fail(card: { stack: string[] }) { this.io.to(room).emit('stack', card.stack); }`),
  ],
  invalid: [
    {
      code: gateway(
        `fail(client: Socket, err: Error) { client.emit('failed', { message: err.message, stack: err.stack }); }`,
      ),
      errors: ['stack'],
    },
    {
      code: gateway(
        `@SubscribeMessage('x') x() { try { return 1; } catch (e) { return { ok: false, trace: e.stack }; } }`,
      ),
      errors: ['stack'],
    },
  ],
});

testRule('no-single-socket-per-user', {
  valid: [
    gateway(
      `private byId = new Map<string, Socket>(); handleConnection(client: Socket) { this.byId.set(client.id, client); }`,
    ),
    gateway(
      `private seen = new Map<string, number>(); handleConnection(client: Socket) { this.seen.set(client.data.userId, Date.now()); }`,
    ),
    gateway(
      `private of = new Map<string, Set<string>>(); handleConnection(client: Socket) { this.of.set(client.data.userId, new Set([client.id])); }`,
    ),
    gateway(
      `constructor(private readonly registry: Registry) {} handleConnection(client: Socket) { this.registry.set(client.data.userId, client.id); }`,
    ),
  ],
  invalid: [
    {
      code: gateway(
        `private online = new Map<string, string>(); handleConnection(client: Socket) { this.online.set(client.data.userId, client.id); }`,
      ),
      errors: ['one'],
    },
    {
      code: gateway(
        `private drivers = new Map<number, Socket>(); @SubscribeMessage('on') on(@ConnectedSocket() socket: Socket, @MessageBody() dto: Dto) { this.drivers.set(Number(dto.driverId), socket); }`,
      ),
      errors: ['one'],
    },
  ],
});

const options = (text: string): string => gateway(`@SubscribeMessage('a') a() {}`, text);

testRule('no-unsafe-server-options', {
  valid: [
    options(`{ maxHttpBufferSize: 1e6 }`),
    options(`{ maxHttpBufferSize: LIMIT, allowEIO3: false }`),
    { code: options(`{ maxHttpBufferSize: 5e7 }`), options: [{ maxHttpBufferSize: 1e8 }] },
    `export const config = { maxHttpBufferSize: 1e9, allowEIO3: true };`,
  ],
  invalid: [
    { code: options(`{ maxHttpBufferSize: 1e8 }`), errors: ['large'] },
    { code: options(`{ maxHttpBufferSize: 50 * 1024 * 1024 }`), errors: ['large'] },
    {
      code: `import { Server } from 'socket.io'; const MB = 1 << 20; new Server(1, { maxHttpBufferSize: 64 * MB, allowEIO3: true });`,
      errors: ['large', 'old'],
    },
  ],
});
