import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import { RealtimeError } from '../domain/index.js';
import { hostOf } from './cli.js';
import { requirePackage } from './workspace.js';
import type { CliApp } from './workspace.js';

/** Exchange and queue of an app, named as it names them itself. */
export function namesOf({ facts, env }: CliApp): { exchange: string; queue: string } {
  const { NODE_ENV = 'development', REALTIME_NAME, REALTIME_EXCHANGE = 'realtime.events' } = env;
  const name = NODE_ENV === 'production' ? facts.shortName : `${facts.shortName}@${NODE_ENV}`;
  return { exchange: REALTIME_EXCHANGE, queue: `realtime.${REALTIME_NAME ?? name}` };
}

/** Time limit of a broker's answer. */
const TIMEOUT_MS = 5_000;

/** A connection to the app's RabbitMQ, with a channel on which publishing is confirmed. */
export interface Amqp {
  readonly channel: ConfirmChannel;
  /**
   * Resolves when RabbitMQ has the message in a queue.
   *
   * @throws RealtimeError RT036 when no queue takes it, or it is not confirmed
   */
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    properties: Options.Publish,
  ): Promise<void>;
  close(): Promise<void>;
}

/** @throws RealtimeError RT035 without amqplib, RT036 when RabbitMQ cannot be reached */
export async function connectAmqp(app: CliApp, url: string): Promise<Amqp> {
  const { connect } = requirePackage<typeof import('amqplib')>(app, 'amqplib');
  const where = hostOf(url);
  let connection: ChannelModel;
  try {
    connection = await connect(url, { timeout: TIMEOUT_MS });
  } catch (error) {
    throw new RealtimeError(
      'RT036',
      `RabbitMQ at ${where} cannot be reached: ${describe(error)}. In development: docker compose -f docker-compose.realtime.yml up -d`,
    );
  }
  connection.on('error', () => undefined);
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => undefined);
  let returned = false;
  channel.on('return', () => {
    returned = true;
  });
  return {
    channel,
    async publish(exchange, routingKey, content, properties) {
      returned = false;
      const failure = await confirmed(channel, exchange, routingKey, content, properties);
      if (failure !== undefined) {
        throw new RealtimeError('RT036', `RabbitMQ at ${where} did not confirm: ${failure}`);
      }
      if (returned) {
        throw new RealtimeError(
          'RT036',
          `RabbitMQ at ${where} has no queue for "${routingKey}". ${app.facts.name} declares it when it runs with REALTIME_TRANSPORT=rmq and this RABBITMQ_URL: start it once.`,
        );
      }
    },
    close: () => connection.close().catch(() => undefined),
  };
}

/** Publishes, and tells why the message is not confirmed; undefined when it is. One message at a time. */
function confirmed(
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  content: Buffer,
  properties: Options.Publish,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`no answer in ${TIMEOUT_MS} ms`), TIMEOUT_MS);
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      resolve(error ? describe(error) : undefined);
    };
    const options = { ...properties, persistent: true, mandatory: true };
    try {
      channel.publish(exchange, routingKey, content, options, settle);
    } catch (error) {
      settle(error);
    }
  });
}

/** Node gives an AggregateError without a message for a refused connection. */
export function describe(error: unknown): string {
  const { message, code } = Object(error) as { message?: string; code?: unknown };
  return message || String(code);
}
