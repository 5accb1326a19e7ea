import type { Provider } from '@nestjs/common';
import { RealtimeBroker } from './broker';
import {
  REALTIME_APP,
  REALTIME_CONFIG,
  type RealtimeConfig,
} from './realtime.config';
import { RmqBroker } from './rmq.broker';
import { TcpBroker } from './tcp.broker';

/** A provider, so that Nest stops it before it closes the sockets. */
export const brokerProvider: Provider = {
  provide: RealtimeBroker,
  inject: [REALTIME_CONFIG, REALTIME_APP],
  useFactory: (
    { transport, tcpPort, rabbitmqUrl }: RealtimeConfig,
    app: string,
  ): RealtimeBroker => {
    if (transport === 'tcp' && tcpPort) {
      return new TcpBroker(tcpPort);
    }
    if (transport === 'rmq' && rabbitmqUrl) {
      return new RmqBroker(rabbitmqUrl, app);
    }
    throw new Error(`REALTIME_TRANSPORT ${transport} has no address`);
  },
};
