import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Ctx,
  EventPattern,
  type MicroserviceOptions,
  Payload,
  RmqContext,
  Transport,
} from '@nestjs/microservices';

@Controller()
export class MailConsumer {
  @EventPattern('mail.requested')
  onRequested(@Payload() mail: { to: string }, @Ctx() context: RmqContext) {
    // finds: prefer-logger
    console.log('Sending mail to', mail.to);
    const channel = context.getChannelRef();
    // finds: no-ack-under-no-ack
    channel.ack(context.getMessage());
  }
}

@Module({ controllers: [MailConsumer] })
export class WorkerModule {}

async function bootstrap() {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(WorkerModule, {
    transport: Transport.RMQ,
    options: {
      urls: ['amqp://localhost:5672'],
      // finds: no-auto-ack
      queue: 'mails',
    },
  });
  await app.listen();
}

void bootstrap();
