import type { Provider } from '@nestjs/common';
import { RealtimeBroker } from './broker';
import {
  REALTIME_APP,
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import { Replicas } from '../replicas/replicas';
import { RequestContextService } from '../events/request-context';
import { RmqBroker } from './rmq.broker';
import { TcpBroker } from './tcp.broker';

/** A provider, so that Nest stops it before it closes the sockets. */
export const brokerProvider: Provider = {
  provide: RealtimeBroker,
  inject: [REALTIME_CONFIG, REALTIME_APP, RequestContextService, Replicas],
  useFactory: (
    config: RealtimeConfig,
    app: string,
    context: RequestContextService,
    replicas: Replicas,
  ): RealtimeBroker => {
    const { transport, tcpPort, rabbitmqUrl, topology } = config;
    if (transport === 'tcp' && tcpPort) {
      return new TcpBroker(tcpPort, context);
    }
    if (transport === 'rmq' && rabbitmqUrl) {
      const replica = topology === 'replica' ? config.replica : undefined;
      return new RmqBroker(rabbitmqUrl, app, context, { replica, replicas });
    }
    throw new Error(`REALTIME_TRANSPORT ${transport} has no address`);
  },
};
