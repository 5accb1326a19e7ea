import type { Provider } from '@nestjs/common';
import {
  REALTIME_APP,
  REALTIME_OPTIONS,
  type RealtimeCoreOptions,
} from '../config/options';
import {
  namesOf,
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import { EventContext } from '../events/event-context';
import { Replicas } from '../replicas/replicas';
import { RealtimeBroker } from './broker';
import { RmqBroker } from './rmq.broker';
import { TcpBroker } from './tcp.broker';

/** A provider, so that Nest stops it before it closes the sockets. */
export const brokerProvider: Provider = {
  provide: RealtimeBroker,
  inject: [
    REALTIME_CONFIG,
    REALTIME_APP,
    REALTIME_OPTIONS,
    EventContext,
    Replicas,
  ],
  useFactory: (
    config: RealtimeConfig,
    app: string,
    { events: policy }: RealtimeCoreOptions,
    context: EventContext,
    replicas: Replicas,
  ): RealtimeBroker => {
    const { transport, tcpPort, rabbitmqUrl, topology } = config;
    if (transport === 'tcp' && tcpPort) {
      return new TcpBroker(tcpPort, context, policy);
    }
    if (transport === 'rmq' && rabbitmqUrl) {
      const replica = topology === 'replica' ? config.replica : undefined;
      const { maxDeadLetters, exchange } = config;
      const { queue } = namesOf(config, app);
      // By the app's name alone it was called before.
      const formerNames = [app, ...config.formerNames];
      const options = {
        replica,
        replicas,
        policy,
        maxDeadLetters,
        exchange,
        formerNames,
      };
      return new RmqBroker(rabbitmqUrl, queue, context, options);
    }
    throw new Error(`REALTIME_TRANSPORT ${transport} has no address`);
  },
};
