import { Module } from '@nestjs/common';
import {
  loadPublisherConfig,
  PUBLISHER_CONFIG,
  type PublisherConfig,
} from './publisher.config';
import { PublisherTransport } from './publisher.transport';
import { RealtimePublisher } from './realtime-publisher';
import { RmqTransport } from './rmq.transport';
import { TcpTransport } from './tcp.transport';

/** Import it where RealtimePublisher is injected. */
@Module({
  providers: [
    {
      provide: PUBLISHER_CONFIG,
      useFactory: () => loadPublisherConfig(process.env),
    },
    {
      provide: PublisherTransport,
      inject: [PUBLISHER_CONFIG],
      useFactory: ({
        rabbitmqUrl,
        tcpPorts,
        timeoutMs,
      }: PublisherConfig): PublisherTransport =>
        rabbitmqUrl
          ? new RmqTransport(rabbitmqUrl, timeoutMs)
          : new TcpTransport(tcpPorts, timeoutMs),
    },
    RealtimePublisher,
  ],
  exports: [RealtimePublisher],
})
export class RealtimePublisherModule {}
