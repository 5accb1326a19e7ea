import { consumer, gateway, testRule } from './support/cases.js';

const handler = (body: string): string =>
  consumer(`@EventPattern('order.created') async created(@Payload() order: Order, @Ctx() context: RmqContext) {
    const channel = context.getChannelRef();
    const message = context.getMessage();
    ${body}
  }`);

const boot = (options: string): string => `
import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
NestFactory.createMicroservice(AppModule, { transport: Transport.RMQ, options: ${options} });
`;

testRule('consumer-in-controllers', {
  valid: [
    consumer(`@EventPattern('a') a() {}`),
    `import { Injectable } from '@nestjs/common'; import '@nestjs/microservices';
@Injectable() export class Service { a() {} }`,
    // The class that extends it is listed.
    `import { Injectable } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Injectable() export abstract class Base { @EventPattern('a') a() {} }`,
    // Listed in both, as some do.
    `import { Controller, Module } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Controller() export class C { @EventPattern('a') a() {} }
@Module({ controllers: [C], providers: [C] }) export class M {}`,
    // Listed among the controllers, where Nest finds it whatever else it is.
    `import { Injectable, Module } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Injectable() export class C { @EventPattern('a') a() {} }
@Module({ controllers: [C] }) export class M {}`,
    `import { BrokerEvent } from './events'; import { Injectable } from '@nestjs/common'; import '@nx-realtime/nest';
@Injectable() export class C { @BrokerEvent('a') a() {} }`,
    // Somebody else's decorator of that name.
    `import { EventPattern } from './events'; import { Injectable } from '@nestjs/common'; import '@nestjs/microservices';
@Injectable() export class C { @EventPattern('a') a() {} }`,
  ],
  invalid: [
    {
      code: `import { Injectable } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Injectable() export class C { @EventPattern('a') a() {} }`,
      errors: ['decorator'],
    },
    {
      code: `import { Injectable } from '@nestjs/common'; import { BrokerEvent } from '@nx-realtime/nest';
@Injectable() export class C { @BrokerEvent('a') a() {} }`,
      errors: ['decorator'],
    },
    {
      code: `import { MessagePattern as On } from '@nestjs/microservices'; import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway() export class G { @On('a') a() {} }`,
      errors: ['decorator'],
    },
    {
      code: `import { Controller, Module } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Controller() export class C { @EventPattern('a') a() {} }
@Module({ providers: [Service, C] }) export class M {}`,
      errors: ['listed'],
      output: `import { Controller, Module } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Controller() export class C { @EventPattern('a') a() {} }
@Module({ controllers: [C],
  providers: [Service] }) export class M {}`,
    },
    {
      code: `import { Controller, Module } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Controller() export class C { @EventPattern('a') a() {} }
@Module({ controllers: [], providers: [C, Service] }) export class M {}`,
      errors: ['listed'],
      output: `import { Controller, Module } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Controller() export class C { @EventPattern('a') a() {} }
@Module({ controllers: [C], providers: [Service] }) export class M {}`,
    },
    {
      // A list that is made elsewhere is left to its owner.
      code: `import { Controller, Module } from '@nestjs/common'; import { EventPattern } from '@nestjs/microservices';
@Controller() export class C { @EventPattern('a') a() {} }
@Module({ controllers: CONTROLLERS, providers: [C] }) export class M {}`,
      errors: ['listed'],
    },
  ],
});

testRule('gateway-in-one-module', {
  valid: [
    `import { Module } from '@nestjs/common'; import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway() export class G {}
@Module({ providers: [G], exports: [G] }) export class A {}
@Module({ imports: [A] }) export class B {}`,
    `import { Module } from '@nestjs/common';
export class Service {}
@Module({ providers: [Service] }) export class A {}
@Module({ providers: [Service] }) export class B {}`,
  ],
  invalid: [
    {
      code: `import { Module } from '@nestjs/common'; import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway() export class G {}
@Module({ providers: [G] }) export class A {}
@Module({ providers: [G] }) export class B {}`,
      errors: ['twice', 'twice'],
    },
    {
      code: `import { Module } from '@nestjs/common'; import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway() export class G {}
@Module({ controllers: [G] }) export class A {}`,
      errors: ['controller'],
    },
  ],
});

testRule('require-ack', {
  valid: [
    handler(
      `try { await this.store(order); channel.ack(message); } catch { channel.nack(message, false, false); }`,
    ),
    handler(`try { await this.store(order); } finally { channel.ack(message); }`),
    handler(`channel.ack(message); await this.store(order);`),
    handler(
      `this.store(order).then(() => channel.ack(message), () => channel.nack(message, false, false));`,
    ),
    // Others settle for all handlers.
    consumer(`@UseInterceptors(AckInterceptor) @EventPattern('a') async a(@Ctx() context: RmqContext) {
      await this.store(); context.getChannelRef().ack(context.getMessage());
    }`),
    // Another transport's, in an app that has both.
    `${boot(`{ urls: [], queue: 'q', noAck: false }`)}
NestFactory.create(AppModule).connectMicroservice({ transport: Transport.KAFKA, options: {} });
import { Controller } from '@nestjs/common'; import { EventPattern, Payload } from '@nestjs/microservices';
@Controller() export class C { @EventPattern('a') a(@Payload() order: Order) { return order; } }`,
    `${boot(`{ urls: [], queue: 'q', noAck: false }`)}${consumer(`@EventPattern('a') a(@Payload() order: Order, @Ctx() context: MqttContext) { return order; }`)}`,
    // Somebody else is given what it is settled by.
    `${boot(`{ urls: [], queue: 'q', noAck: false }`)}${consumer(`@EventPattern('a') a(@Payload() order: Order, @Ctx() context: RmqContext) {
      return this.settled(context, () => this.store(order));
    }`)}`,
    // Handled on another transport than the one that is acknowledged by hand.
    `${boot(`{ urls: [], queue: 'q', noAck: false }`)}
import { Controller } from '@nestjs/common'; import { EventPattern, Payload } from '@nestjs/microservices';
@Controller() export class C {
  @EventPattern('a', Transport.KAFKA) a(@Payload() order: Order) { return order; }
  @EventPattern('b', OWN_BROKER, { own: true }) b(@Payload() order: Order) { return order; }
}`,
    // Nothing is known of a microservice that is acknowledged by hand.
    consumer(`@EventPattern('a') a(@Payload() order: Order) { return this.store(order); }`),
  ],
  invalid: [
    // Settled by a service that gets the context, and not when it fails.
    {
      code: consumer(
        `@EventPattern('a') async a(@Payload() order: Order, @Ctx() context: RmqContext) { await this.store(order); this.shared.acknowledgeMessage(context); }`,
      ),
      errors: ['failure'],
    },
    { code: handler(`await this.store(order); channel.ack(message);`), errors: ['failure'] },
    {
      code: handler(`if (!order) throw new Error('x'); channel.ack(message);`),
      errors: ['failure'],
    },
    {
      code: `${boot(`{ urls: [], queue: 'q', noAck: false }`)}
import { Controller } from '@nestjs/common'; import { EventPattern, Payload } from '@nestjs/microservices';
@Controller() export class C { @EventPattern('a') a(@Payload() order: Order) { return order; } }`,
      errors: ['missing'],
    },
    {
      code: `${boot(`{ urls: [], queue: 'q', noAck: false }`)}
import { Controller } from '@nestjs/common'; import { EventPattern, Payload } from '@nestjs/microservices';
@Controller() export class C {
  @EventPattern('a', Transport.RMQ) a(@Payload() order: Order) { return order; }
  @EventPattern('b', { own: true }) b(@Payload() order: Order) { return order; }
}`,
      errors: ['missing', 'missing'],
    },
  ],
});

testRule('no-double-ack', {
  valid: [
    handler(
      `try { await this.store(order); channel.ack(message); } catch { channel.nack(message, false, false); }`,
    ),
    handler(
      `try { channel.ack(message); this.logger.log('done', nameOf(order)); } catch { channel.nack(message, false, false); }`,
    ),
    handler(`if (order) { channel.ack(message); } else { channel.nack(message, false, false); }`),
    handler(`if (!order) { channel.nack(message, false, false); return; } channel.ack(message);`),
    handler(`channel.ack(first); channel.ack(second);`),
  ],
  invalid: [
    { code: handler(`channel.ack(message); channel.ack(message);`), errors: ['sequence'] },
    {
      code: handler(
        `try { await this.store(order); } catch { channel.nack(message, false, false); } finally { channel.ack(message); }`,
      ),
      errors: ['finally'],
    },
    {
      code: handler(
        `try { channel.ack(message); await this.mail(order); } catch { channel.nack(message, false, false); }`,
      ),
      errors: ['after'],
    },
  ],
});

testRule('no-ack-under-no-ack', {
  valid: [
    handler(`channel.ack(message);`),
    `${boot(`{ urls: [], queue: 'q', noAck: false }`)}${handler(`channel.ack(message);`)}`,
    // Of a strategy of the app's own.
    `${boot(`{ urls: [], queue: 'q' }`)}${consumer(`@EventPattern('a', OWN_BROKER) a(@Ctx() context: RmqContext) {
      context.getChannelRef().ack(context.getMessage());
    }`)}`,
    // Computed where nobody can tell.
    `${boot(`{ urls: [], queue: 'q', noAck: options.noAck }`)}${handler(`channel.ack(message);`)}`,
    `${boot(`{ urls: [], queue: 'q', ...options }`)}${handler(`channel.ack(message);`)}`,
  ],
  invalid: [
    {
      code: `${boot(`{ urls: [], queue: 'q' }`)}${handler(`channel.ack(message);`)}`,
      errors: ['settled'],
    },
    {
      code: `${boot(`{ urls: [], queue: 'q', noAck: true }`)}${handler(`channel.nack(message, false, false);`)}`,
      errors: ['settled'],
    },
  ],
});

const requeued = (call: string): string =>
  handler(`try { await this.store(order); } catch { ${call}; }`);

testRule('no-requeue-on-error', {
  valid: [
    requeued(`channel.nack(message, false, false)`),
    requeued(`channel.reject(message, false)`),
    requeued(`channel.nack(message, false, isTransient)`),
    // Somebody has thought about it.
    handler(
      `try { await this.store(order); } catch (error) { if (message.fields.redelivered) { channel.nack(message, false, false); return; } channel.nack(message, false, true); }`,
    ),
    handler(
      `try { await this.store(order); } catch (error) { if (isTransient(error)) channel.nack(message, false, true); else channel.nack(message, false, false); }`,
    ),
    // Counted by a quorum queue.
    `const args = { 'x-delivery-limit': 5 };${requeued(`channel.reject(message, true)`)}`,
    handler(
      `try { await this.store(order); } catch (error) { if (attempts < 3) channel.nack(message, false, true); else channel.nack(message, false, false); }`,
    ),
    // Not a channel.
    consumer(`@EventPattern('a') a() { this.form.reject(x); promise.reject(y); }`),
  ],
  invalid: [
    {
      code: requeued(`channel.nack(message)`),
      errors: ['requeue'],
      suggestions: {
        0: { messageId: 'deadLetter', output: requeued(`channel.nack(message, false, false)`) },
      },
    },
    {
      code: requeued(`channel.nack(message, false, true)`),
      errors: ['requeue'],
      suggestions: {
        0: { messageId: 'deadLetter', output: requeued(`channel.nack(message, false, false)`) },
      },
    },
    // A condition that has nothing to do with how often it was tried.
    {
      code: handler(
        `try { await this.store(order); } catch { if (channel) channel.nack(message, false, true); }`,
      ),
      errors: ['requeue'],
      suggestions: {
        0: {
          messageId: 'deadLetter',
          output: handler(
            `try { await this.store(order); } catch { if (channel) channel.nack(message, false, false); }`,
          ),
        },
      },
    },
    {
      code: requeued(`channel.reject(message)`),
      errors: ['requeue'],
      suggestions: {
        0: { messageId: 'deadLetter', output: requeued(`channel.nack(message, false, false)`) },
      },
    },
    {
      code: `import { Nack, RabbitSubscribe } from '@golevelup/nestjs-rabbitmq';
export class C { async a() { try { await f(); } catch { return new Nack(true); } } }`,
      errors: ['requeue'],
    },
  ],
});

testRule('require-dead-letter-exchange', {
  valid: [
    boot(
      `{ queue: 'q', noAck: false, queueOptions: { arguments: { 'x-dead-letter-exchange': 'dlx' } } }`,
    ),
    boot(`{ queue: 'q', noAck: false, queueOptions: { deadLetterExchange: 'dlx' } }`),
    boot(`{ queue: 'q', noAck: false, queueOptions: QUEUE }`),
    boot(`{ queue: 'q', noAck: false, queueOptions: { ...QUEUE } }`),
    // Nothing is ever rejected.
    boot(`{ queue: 'q' }`),
    // A client consumes replies only.
    `import { ClientsModule, Transport } from '@nestjs/microservices';
ClientsModule.register([{ name: 'A', transport: Transport.RMQ, options: { queue: 'q', noAck: false } }]);`,
  ],
  invalid: [
    { code: boot(`{ queue: 'q', noAck: false }`), errors: ['none'] },
    {
      code: boot(`{ queue: 'q', noAck: false, queueOptions: { durable: true } }`),
      errors: ['none'],
    },
  ],
});

testRule('no-auto-ack', {
  valid: [
    // A client's, by the name of its options.
    `import { ClientProxyFactory, RmqOptions, Transport } from '@nestjs/microservices';
const toMail: RmqOptions = { transport: Transport.RMQ, options: { queue: 'mail', noAck: true } };
export const mail = ClientProxyFactory.create(toMail);`,
    boot(`{ queue: 'q', noAck: false }`),
    boot(`{ queue: 'q', noAck }`),
    boot(`{ ...options }`),
    `import { Transport } from '@nestjs/microservices'; export const o = { transport: Transport.TCP, options: {} };`,
    // A client, registered elsewhere.
    `import { Transport } from '@nestjs/microservices';
export const client = (name) => ({ name, useFactory: () => ({ transport: Transport.RMQ, options: { queue: name } }) });`,
  ],
  invalid: [
    { code: boot(`{ queue: 'q' }`), errors: ['lost'] },
    { code: boot(`{ queue: 'q', noAck: true }`), errors: ['lost'] },
  ],
});

testRule('prefer-logger', {
  valid: [
    gateway(`a() { this.logger.log('x'); }`),
    `export class Script { run() { console.log('x'); } }`,
    `import { WebSocketGateway } from '@nestjs/websockets'; console.log('outside');`,
  ],
  invalid: [
    { code: gateway(`a() { console.log('x'); }`), errors: ['logger'] },
    {
      code: gateway(
        `private readonly logger = new Logger('x'); a() { console.error('x'); [1].map(() => console.info(\`y\`)); }`,
      ),
      errors: ['logger', 'logger'],
      output: gateway(
        `private readonly logger = new Logger('x'); a() { this.logger.error('x'); [1].map(() => this.logger.log(\`y\`)); }`,
      ),
    },
    // Its `this` is another one; the last of several arguments would become the context.
    {
      code: gateway(
        `private readonly logger = new Logger('x'); a() { return function () { console.log('x'); }; }`,
      ),
      errors: ['logger'],
    },
    {
      code: gateway(
        `private readonly logger = new Logger('x'); a(b: string) { console.log('x', b); console.log(b); }`,
      ),
      errors: ['logger', 'logger'],
    },
    { code: consumer(`@EventPattern('a') a() { console.warn('x'); }`), errors: ['logger'] },
  ],
});
