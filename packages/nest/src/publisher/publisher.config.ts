import { z } from 'zod';

/** Injection token of the publisher's configuration. */
export const PUBLISHER_CONFIG: unique symbol = Symbol.for(
  '@nx-realtime/nest:publisher-config',
);

/** Configuration of the publisher. */
export interface PublisherConfig {
  /** Undefined with the embedded transport. */
  readonly rabbitmqUrl?: string | undefined;
  /** Ports of the embedded transport, by the variable that names them. */
  readonly tcpPorts: ReadonlyMap<string, number>;
  /** Exchange that the apps of the domains are bound to. */
  readonly exchange: string;
  /** Time until RabbitMQ must have confirmed an event. */
  readonly timeoutMs: number;
  /** Number of events that may wait for RabbitMQ at once. */
  readonly maxUnconfirmed: number;
  /** What is missing in a test, where nothing is to be published. */
  readonly incomplete?: Error | undefined;
}

const integer = (min: number, max: number) =>
  z
    .string()
    .transform(Number)
    .refine(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      `is not allowed; allowed: an integer from ${min} to ${max}`,
    );

const variables = z.object({
  REALTIME_TRANSPORT: z
    .enum(['rmq', 'tcp'], 'is not allowed; allowed: rmq, tcp')
    .default('rmq'),
  RABBITMQ_URL: z
    .string()
    // The value may hold a password: it is not repeated.
    .refine(
      isAmqpUrl,
      'is not allowed; allowed: a URL that begins with amqp:// or amqps://',
    )
    .optional(),
  REALTIME_EXCHANGE: z
    .string()
    .regex(
      /^[\w.@-]{1,100}$/,
      'is not allowed; allowed: 1 to 100 letters, digits, ".", "_", "@" and "-"',
    )
    .default('realtime.events'),
  REALTIME_MAX_PUBLISH_MS: integer(100, 600_000).default(5_000),
  REALTIME_MAX_UNCONFIRMED: integer(1, 100_000).default(1_000),
});

/** Values by the names of environment variables. */
export type PublisherVariables = Readonly<
  Record<string, string | number | boolean | undefined>
>;

/**
 * Reads the configuration from environment variables; an empty one is unset.
 *
 * @param tcpPorts variables that hold the ports of the embedded transport
 * @throws Error with one line for each variable that is missing or wrong
 */
export function loadPublisherConfig(
  env: PublisherVariables,
  tcpPorts: readonly string[],
): PublisherConfig {
  const given: Record<string, string> = Object.fromEntries(
    Object.entries(env)
      .map(([name, value]) => [name, String(value ?? '')] as const)
      .filter(([, value]) => value.trim()),
  );
  const ports = z.object(
    Object.fromEntries(
      tcpPorts.map((name) => [name, integer(1, 65_535).optional()]),
    ),
  );
  const parsed = variables.safeParse(given);
  const tcp = ports.safeParse(given);
  const problems = [
    ...[...(parsed.error?.issues ?? []), ...(tcp.error?.issues ?? [])].map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    ),
    ...findMissing(given, tcpPorts),
  ];
  if (!parsed.success || !tcp.success || problems.length > 0) {
    const hint = 'Development files are created by: npx nx-realtime env';
    throw new Error(
      ['The realtime publisher is not configured:', ...problems, hint].join(
        '\n  ',
      ),
    );
  }
  const { data } = parsed;
  const isTcp = data.REALTIME_TRANSPORT === 'tcp';
  return {
    rabbitmqUrl: isTcp ? undefined : data.RABBITMQ_URL,
    tcpPorts: new Map(
      Object.entries(tcp.data).map(([name, port]) => [name, port ?? 0]),
    ),
    exchange: data.REALTIME_EXCHANGE,
    timeoutMs: data.REALTIME_MAX_PUBLISH_MS,
    maxUnconfirmed: data.REALTIME_MAX_UNCONFIRMED,
  };
}

/**
 * The same for the module of an app: in a test, where NODE_ENV is test, a
 * publisher without an address refuses to publish, and not to be made.
 */
export function loadPublisherModuleConfig(
  env: PublisherVariables,
  tcpPorts: readonly string[],
): PublisherConfig {
  try {
    return loadPublisherConfig(env, tcpPorts);
  } catch (error) {
    if (env['NODE_ENV'] !== 'test') {
      throw error;
    }
    const given = Object.fromEntries(
      Object.entries(env).filter(([, value]) => String(value ?? '').trim()),
    );
    const isRmq = (given['REALTIME_TRANSPORT'] ?? 'rmq') === 'rmq';
    const complete = {
      ...Object.fromEntries(tcpPorts.map((name) => [name, '1'])),
      ...given,
      ...(isRmq && !given['RABBITMQ_URL'] && { REALTIME_TRANSPORT: 'tcp' }),
    };
    return {
      ...loadPublisherConfig(complete, tcpPorts),
      incomplete: error as Error,
    };
  }
}

function findMissing(
  given: Readonly<Record<string, string>>,
  tcpPorts: readonly string[],
): string[] {
  if (given['REALTIME_TRANSPORT'] !== 'tcp') {
    return given['RABBITMQ_URL']
      ? []
      : ['RABBITMQ_URL is missing; allowed: amqp://user:password@host:5672'];
  }
  const missing = tcpPorts
    .filter((name) => !given[name])
    .map(
      (name) =>
        `${name} is missing; allowed: the REALTIME_TCP_PORT of that app`,
    );
  return given['NODE_ENV'] === 'production'
    ? [
        'REALTIME_TRANSPORT tcp is for development; allowed in production: rmq',
        ...missing,
      ]
    : missing;
}

function isAmqpUrl(value: string): boolean {
  try {
    return /^amqps?:$/.test(new URL(value).protocol);
  } catch {
    return false;
  }
}
