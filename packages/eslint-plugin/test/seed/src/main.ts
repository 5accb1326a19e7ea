import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { AppModule } from './app.module';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  const queue = process.env.QUEUE ?? 'orders';
  app.connectMicroservice({
    transport: Transport.RMQ,
    options: {
      urls: [process.env.RABBITMQ_URL ?? 'amqp://127.0.0.1:5672'],
      queue,
      noAck: false,
      prefetchCount: 2,
      queueOptions: {
        durable: true,
        arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': `${queue}.dead` },
      },
    },
  });
  await app.listen(process.env.PORT ?? 3000, '127.0.0.1');
  void app.startAllMicroservices();
}

void bootstrap();
