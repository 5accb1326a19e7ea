import { Logger } from '@nestjs/common';
import { type Server, ServerTCP, type TcpSocket } from '@nestjs/microservices';
import type { RequestContextRunner } from '../events/request-context';
import type { LinkHealth } from '../observability/link-health';
import {
  BrokerDispatcher,
  MAX_EVENT_BYTES,
  parseEnvelope,
  type RealtimeBroker,
} from './broker';
import { isBrokerHandler, REALTIME_BROKER } from './broker-event';
import type { EventPolicy } from './event-policy';

/**
 * The embedded broker of development: Nest's TCP transport, for this machine
 * only. It has neither retries nor dead letters.
 */
export class TcpBroker extends ServerTCP implements RealtimeBroker {
  override readonly transportId = REALTIME_BROKER;
  protected override readonly logger = new Logger('RealtimeBroker');
  readonly dispatcher: BrokerDispatcher;
  private started = false;
  private state: LinkHealth = { ok: false, detail: 'not started' };

  constructor(
    port: number,
    context: RequestContextRunner,
    policy: Partial<EventPolicy> = {},
  ) {
    super({ host: '127.0.0.1', port, maxBufferSize: MAX_EVENT_BYTES });
    this.dispatcher = new BrokerDispatcher(this.messageHandlers, context, {
      ...policy,
      retries: 0,
    });
  }

  /**
   * Does nothing: `app.startAllMicroservices()` may come before the gateways.
   */
  override listen(callback: () => void): void {
    callback();
  }

  start(fatal: (error: Error) => void): void {
    if (this.started) {
      return;
    }
    this.started = true;
    super.listen((error) => {
      if (error instanceof Error) {
        fatal(new Error(`REALTIME_TCP_PORT ${this.port}: ${error.message}`));
      } else {
        const detail = `consuming on 127.0.0.1:${this.port}`;
        this.state = { ok: true, detail };
        const patterns = this.dispatcher.patterns.join(', ');
        this.logger.log(`Consuming on 127.0.0.1:${this.port}: ${patterns}`);
      }
    });
  }

  health(): LinkHealth {
    return this.state;
  }

  async stop(timeoutMs: number): Promise<void> {
    this.state = { ok: false, detail: 'stopping' };
    super.close();
    await this.dispatcher.drained(timeoutMs);
  }

  override addHandler(...args: Parameters<Server['addHandler']>): void {
    if (isBrokerHandler(...args)) {
      super.addHandler(...args);
    }
  }

  override handleMessage(_socket: TcpSocket, message: unknown): Promise<void> {
    return this.dispatcher.handle(
      () => parseEnvelope(message),
      { redelivered: false },
      (outcome) => {
        if ('code' in outcome) {
          const { pattern = 'an event', code, message: reason } = outcome;
          this.logger.error(
            `Dropped ${pattern}: ${code} ${reason} (RabbitMQ would keep it as a dead letter)`,
          );
        }
      },
    );
  }
}
