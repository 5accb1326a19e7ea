import {
  createPublicKey,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';

/** Injection token of the configuration. */
export const REALTIME_CONFIG: unique symbol = Symbol.for(
  '@nx-realtime/nest:config',
);

const HMAC = ['HS256', 'HS384', 'HS512'] as const;
const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
const EC = ['ES256', 'ES384', 'ES512'] as const;
type Algorithm = (typeof HMAC | typeof RSA | typeof EC)[number];

/** The one algorithm that a key on a curve is for. */
const CURVES = new Map<string | undefined, Algorithm>([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

/** What queues and keys may be named after. */
const NAME = /^[\w.@-]{1,100}$/;
const name = z
  .string()
  .regex(
    NAME,
    'is not allowed; allowed: 1 to 100 letters, digits, ".", "_", "@" and "-"',
  );

const integer = (min: number, max: number) =>
  z
    .string()
    .transform(Number)
    .refine(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      `is not allowed; allowed: an integer from ${min} to ${max}`,
    );

const url = (...protocols: string[]) =>
  z.string().refine(
    (value) => protocols.includes(parseUrl(value)?.protocol ?? ''),
    // The value may hold a password: it is not repeated.
    `is not allowed; allowed: a URL that begins with ${protocols.join('// or ')}//`,
  );

const variables = z.object({
  NODE_ENV: z.string().default('development'),
  REALTIME_JWT_SECRET: z
    .string()
    .refine(
      (value) => Buffer.byteLength(value) >= 32,
      'is too short; allowed: a random value of at least 32 bytes',
    )
    // jsonwebtoken is 40 times slower with a string.
    .transform((value) => createSecretKey(Buffer.from(value)))
    .optional(),
  JWT_PUBLIC_KEY: z
    .string()
    .transform(parsePublicKey)
    .refine(
      (key) => key !== undefined,
      'is not a key; allowed: a PEM public key, RSA (2048 bits or more) or P-256, P-384, P-521',
    )
    .optional(),
  JWKS_URI: z
    .string()
    .refine(
      isTrustworthy,
      'is not allowed; allowed: an https:// URL, or http:// on this machine',
    )
    .optional(),
  JWT_ALGORITHMS: z.string().transform(list).optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_CLOCK_TOLERANCE_S: integer(0, 300).default(5),
  REALTIME_ORIGINS: z
    .string(
      'is missing, and so is FRONTEND_URL; allowed: origins separated by commas, http://localhost:3000',
    )
    .transform((value) => list(value).map(parseOrigin))
    .refine(
      (origins) => origins.length > 0 && !origins.includes(undefined),
      'is not allowed; allowed: exact origins separated by commas, without * or a path',
    )
    .transform((origins) => origins.filter((origin) => origin !== undefined)),
  REALTIME_ALLOW_NO_ORIGIN: z
    .enum(['true', 'false'], 'is not allowed; allowed: true, false')
    .default('true')
    .transform((value) => value === 'true'),
  REALTIME_PATH: z
    .string()
    .regex(
      /^(?:\/[\w.-]+)+$/,
      'is not allowed; allowed: a path without a slash at its end, /socket.io',
    )
    .default('/socket.io'),
  REALTIME_TRANSPORT: z
    .enum(['rmq', 'tcp'], 'is not allowed; allowed: rmq, tcp')
    .default('rmq'),
  RABBITMQ_URL: url('amqp:', 'amqps:').optional(),
  REALTIME_TCP_PORT: integer(1, 65_535).optional(),
  REDIS_URL: url('redis:', 'rediss:').optional(),
  REALTIME_TOPOLOGY: z
    .enum(['shared', 'replica'], 'is not allowed; allowed: shared, replica')
    .default('shared'),
  REALTIME_REPLICA: z
    .string()
    .regex(
      // Queues of the app have these names.
      /^(?!(dead|waiting(\..*)?)$)[\w.-]{1,64}$/,
      'is not allowed; allowed: 1 to 64 letters, digits, ".", "_" and "-", but not "dead" or "waiting"',
    )
    .default(() =>
      hostname()
        .replace(/[^\w.-]/g, '-')
        .slice(0, 64),
    ),
  REALTIME_NAME: name.optional(),
  REALTIME_EXCHANGE: name.default('realtime.events'),
  REALTIME_FORMER_NAMES: z
    .string()
    .transform(list)
    .refine(
      (names) => names.every((name) => NAME.test(name)),
      'is not allowed; allowed: names separated by commas',
    )
    .default([]),
  REALTIME_MAX_DEAD_LETTERS: integer(1, 10_000_000).default(100_000),
  REALTIME_SHUTDOWN_MS: integer(2_000, 600_000).default(25_000),
  REALTIME_DRAIN_DELAY_MS: integer(0, 300_000).default(0),
  REALTIME_MAX_MESSAGE_BYTES: integer(1_024, 1_048_576).default(65_536),
  REALTIME_MAX_GRACE_MS: integer(0, 60_000).default(5_000),
  REALTIME_MAX_SUBSCRIPTIONS: integer(0, 100_000).default(100),
  REALTIME_MAX_CONNECTIONS_PER_USER: integer(1, 100_000).default(20),
  REALTIME_MAX_BUFFERED_BYTES: integer(1_024, 1_073_741_824).default(1_048_576),
  REALTIME_RATE_EVENTS: integer(1, 1_000_000).default(20),
  REALTIME_RATE_EVENTS_BURST: integer(1, 1_000_000).default(100),
  REALTIME_RATE_USER_EVENTS: integer(1, 1_000_000).default(60),
  REALTIME_RATE_USER_EVENTS_BURST: integer(1, 1_000_000).default(300),
  // High enough for every client behind one proxy to come back after a restart.
  REALTIME_RATE_HANDSHAKES: integer(1, 1_000_000).default(500),
  REALTIME_RATE_HANDSHAKES_BURST: integer(1, 1_000_000).default(5_000),
  REALTIME_TRUST_PROXY: integer(0, 10).default(0),
  REALTIME_METRICS_ADDRESS: z.string().optional(),
});

/**
 * Names that many teams have for the same: what they hold is taken where ours
 * is not set. One of them may mean more than realtime to its owner.
 */
const COMMON_NAMES = {
  REALTIME_JWT_SECRET: 'JWT_SECRET',
  REALTIME_ORIGINS: 'FRONTEND_URL',
} as const;

type Name =
  | keyof z.input<typeof variables>
  | (typeof COMMON_NAMES)[keyof typeof COMMON_NAMES];

/** Values by the names of environment variables. */
export type RealtimeVariables = {
  readonly [Key in Name]?: string | number | boolean | undefined;
};

/**
 * Reads the configuration from environment variables; an empty one is unset.
 *
 * @param layers the later one wins, by whichever name it has a value
 * @throws Error with one line for each variable that is missing or wrong
 */
export function loadRealtimeConfig(...layers: Layer[]): RealtimeConfig {
  const { given, nameOf } = merge(layers);
  return read(given, nameOf);
}

/**
 * The same for the modules of an app, which need no secret in a test that does
 * not listen: where NODE_ENV is test, others stand in for what is missing, and
 * `incomplete` says what that is.
 *
 * @throws Error with one line for each variable that is wrong, or missing
 * elsewhere
 */
export function loadModuleConfig(
  ...layers: Layer[]
): RealtimeConfig & { readonly incomplete?: unknown } {
  const { given, nameOf } = merge(layers);
  try {
    return read(given, nameOf);
  } catch (error) {
    if (given['NODE_ENV'] !== 'test') {
      throw error;
    }
    const isTcp =
      given['REALTIME_TRANSPORT'] === 'tcp' || !given['RABBITMQ_URL'];
    const complete = {
      REALTIME_ORIGINS: 'http://localhost',
      ...(!KEYS.some((name) => given[name]) && {
        REALTIME_JWT_SECRET: randomBytes(32).toString('hex'),
      }),
      ...(isTcp && { REALTIME_TCP_PORT: '1' }),
      ...given,
      ...(isTcp && { REALTIME_TRANSPORT: 'tcp' }),
    };
    return { ...read(complete, nameOf), incomplete: error };
  }
}

type Layer = NodeJS.ProcessEnv | RealtimeVariables;

/** What can verify tokens. */
const KEYS = ['REALTIME_JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWKS_URI'];

function merge(layers: readonly Layer[]): {
  readonly given: Record<string, string>;
  readonly nameOf: (own: string) => string;
} {
  const given: Record<string, string> = {};
  /** Names by which their owner knows them. */
  const known = new Map<string, string>();
  for (const layer of layers) {
    const values = { ...layer } as Record<string, unknown>;
    for (const [own, common] of Object.entries(COMMON_NAMES)) {
      const isOwn = isSet(values[own]);
      if (isOwn || common in values) {
        known.set(own, isOwn ? own : common);
        values[own] = isOwn ? values[own] : values[common];
      }
      delete values[common];
    }
    for (const [name, value] of Object.entries(values)) {
      given[name] = isSet(value) ? String(value) : '';
    }
  }
  for (const [name, value] of Object.entries(given)) {
    if (value === '') {
      delete given[name];
    }
  }
  const nameOf = (own: string): string =>
    own in given ? (known.get(own) ?? own) : own;
  return { given, nameOf };
}

function read(
  given: Readonly<Record<string, string>>,
  nameOf: (own: string) => string,
): RealtimeConfig {
  const parsed = variables.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map(
      ({ path, message }) => `${nameOf(path.join('.'))} ${message}`,
    ),
    ...findConflicts(given, nameOf),
  ];
  if (!parsed.success) {
    throw configError(problems);
  }
  const { data } = parsed;
  const key = data.REALTIME_JWT_SECRET ?? data.JWT_PUBLIC_KEY;
  const allowed = allowedAlgorithms(key);
  const defaults: string[] = key ? allowed.slice(0, 1) : ['RS256', 'ES256'];
  const algorithms = allowed.filter((name) =>
    (data.JWT_ALGORITHMS ?? defaults).includes(name),
  );
  if (algorithms.length < (data.JWT_ALGORITHMS?.length ?? 1)) {
    problems.push(
      `JWT_ALGORITHMS does not fit the key; allowed: ${allowed.join(', ')}`,
    );
  }
  if (data.REALTIME_DRAIN_DELAY_MS > data.REALTIME_SHUTDOWN_MS / 2) {
    problems.push(
      'REALTIME_DRAIN_DELAY_MS is too long; allowed: half of REALTIME_SHUTDOWN_MS',
    );
  }
  if (problems.length > 0) {
    throw configError(problems);
  }
  return configOf(data, key, algorithms, nameOf('REALTIME_JWT_SECRET'));
}

/** The configuration of an app, typed by the schema of its variables. */
export type RealtimeConfig = ReturnType<typeof configOf>;

function configOf(
  data: z.output<typeof variables>,
  key: KeyObject | undefined,
  algorithms: readonly Algorithm[],
  secretVariable: string,
) {
  return {
    environment: data.NODE_ENV,
    /** Name of the deployment; see `namesOf`. */
    name: data.REALTIME_NAME,
    /** Exchange that the events are published to. */
    exchange: data.REALTIME_EXCHANGE,
    /** Path of Socket.IO. */
    path: data.REALTIME_PATH,
    transport: data.REALTIME_TRANSPORT,
    rabbitmqUrl: data.RABBITMQ_URL,
    tcpPort: data.REALTIME_TCP_PORT,
    redisUrl: data.REDIS_URL,
    /** Replicas share one queue, or each has its own. */
    topology: data.REALTIME_TOPOLOGY,
    /** Name of this replica: the same after a restart. */
    replica: data.REALTIME_REPLICA,
    /** Names that the app had: what is left of them is looked for. */
    formerNames: data.REALTIME_FORMER_NAMES,
    /** Dead letters that are kept; then the oldest are thrown away. */
    maxDeadLetters: data.REALTIME_MAX_DEAD_LETTERS,
    origins: data.REALTIME_ORIGINS,
    /** Native clients send no Origin; they need a token like everyone else. */
    allowNoOrigin: data.REALTIME_ALLOW_NO_ORIGIN,
    /**
     * Number of the app's own proxies, each of which appends to
     * X-Forwarded-For.
     */
    trustedProxies: data.REALTIME_TRUST_PROXY,
    /** `host:port` of an endpoint for Prometheus. */
    metricsAddress: data.REALTIME_METRICS_ADDRESS,
    jwt: {
      /** Undefined when the keys come from jwksUri. */
      key,
      /** Variable that the key or the key set is from. */
      keyVariable: data.REALTIME_JWT_SECRET
        ? secretVariable
        : data.JWT_PUBLIC_KEY
          ? 'JWT_PUBLIC_KEY'
          : 'JWKS_URI',
      jwksUri: data.JWKS_URI,
      algorithms,
      issuer: data.JWT_ISSUER,
      audience: data.JWT_AUDIENCE,
      /** Seconds by which the clocks of issuer and server may differ. */
      clockToleranceS: data.JWT_CLOCK_TOLERANCE_S,
    },
    shutdown: {
      /** A process that was told to end is ended after this time. */
      timeoutMs: data.REALTIME_SHUTDOWN_MS,
      /** A replica that is not ready any more goes on serving for this time. */
      delayMs: data.REALTIME_DRAIN_DELAY_MS,
    },
    limits: {
      /** Largest message that a client may send. */
      maxMessageBytes: data.REALTIME_MAX_MESSAGE_BYTES,
      /**
       * A connection outlives its token by this time, waiting for a fresh one.
       */
      graceMs: data.REALTIME_MAX_GRACE_MS,
      /** Resources that one socket may be subscribed to. */
      maxSubscriptions: data.REALTIME_MAX_SUBSCRIPTIONS,
      /** Connections of one address, and namespaces that it asks for. */
      handshakes: {
        perSecond: data.REALTIME_RATE_HANDSHAKES,
        burst: data.REALTIME_RATE_HANDSHAKES_BURST,
      },
      /** Client events of one socket. */
      events: {
        perSecond: data.REALTIME_RATE_EVENTS,
        burst: data.REALTIME_RATE_EVENTS_BURST,
      },
      /** Client events of one user, over all sockets of this replica. */
      userEvents: {
        perSecond: data.REALTIME_RATE_USER_EVENTS,
        burst: data.REALTIME_RATE_USER_EVENTS_BURST,
      },
      /** Connections of one user on this replica. */
      maxConnectionsPerUser: data.REALTIME_MAX_CONNECTIONS_PER_USER,
      /** Bytes that may wait for one slow reader. */
      maxBufferedBytes: data.REALTIME_MAX_BUFFERED_BYTES,
    },
  } as const;
}

/**
 * Names by which deployments that share a RabbitMQ or a Redis stay apart: by
 * REALTIME_NAME, else by the app's name and NODE_ENV. In production the queue
 * has the app's name alone.
 */
export function namesOf(
  { name, environment }: Pick<RealtimeConfig, 'name' | 'environment'>,
  app: string,
): { readonly queue: string; readonly redis: string } {
  return {
    queue:
      name ?? (environment === 'production' ? app : `${app}@${environment}`),
    redis: name ?? `${app}:${environment}`,
  };
}

function isSet(value: unknown): boolean {
  return String(value ?? '').trim() !== '';
}

/** Finds conflicts between variables that are each right by themselves. */
function findConflicts(
  given: Readonly<Record<string, string>>,
  nameOf: (own: string) => string,
): string[] {
  const problems: string[] = [];
  const set = KEYS.filter((name) => given[name]).map(nameOf);
  if (set.length === 0) {
    problems.push(
      'REALTIME_JWT_SECRET is missing, and so is JWT_SECRET; allowed: at least 32 bytes, or JWT_PUBLIC_KEY or JWKS_URI in its place',
    );
  }
  // A leftover secret would keep its old tokens valid.
  if (set.length > 1) {
    problems.push(`${set.join(', ')} are set together; allowed: one of them`);
  }
  const { NODE_ENV, REALTIME_TRANSPORT = 'rmq' } = given;
  if (REALTIME_TRANSPORT === 'rmq' && !given['RABBITMQ_URL']) {
    problems.push(
      'RABBITMQ_URL is missing; allowed: an amqp:// or amqps:// URL',
    );
  }
  if (REALTIME_TRANSPORT === 'tcp' && !given['REALTIME_TCP_PORT']) {
    problems.push('REALTIME_TCP_PORT is missing; allowed: a free port');
  }
  if (REALTIME_TRANSPORT === 'tcp' && NODE_ENV === 'production') {
    problems.push(
      'REALTIME_TRANSPORT tcp is for development; allowed in production: rmq',
    );
  }
  return problems;
}

function configError(problems: readonly string[]): Error {
  const hint = problems.some((problem) => problem.includes(' is missing'))
    ? ['Development files are created by: npx nx-realtime env']
    : [];
  return new Error(
    ['Realtime is not configured:', ...problems, ...hint].join('\n  '),
  );
}

/** Empty for a key that is too weak or of a kind that is not supported. */
function allowedAlgorithms(key: KeyObject | undefined): readonly Algorithm[] {
  if (!key) {
    return [...RSA, ...EC];
  }
  if (key.type === 'secret') {
    return HMAC;
  }
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    return modulusLength >= 2_048 ? RSA : [];
  }
  const algorithm = CURVES.get(namedCurve);
  return algorithm ? [algorithm] : [];
}

function parsePublicKey(pem: string): KeyObject | undefined {
  try {
    // Many env files hold the line breaks as \n. Parsed here and never given on
    // as text, which could be taken for a shared secret.
    const key = createPublicKey(pem.replace(/\\n/g, '\n'));
    return allowedAlgorithms(key).length > 0 ? key : undefined;
  } catch {
    return undefined;
  }
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function parseUrl(value: string): URL | undefined {
  try {
    return new URL(value);
  } catch {
    return undefined;
  }
}

function parseOrigin(value: string): string | undefined {
  // Of apps in a shell or an extension: URL knows no origin of such schemes.
  if (
    /^(?!https?:|file:|data:|blob:|about:)[a-z][a-z0-9+.-]*:\/\/[\w.-]+$/i.test(
      value,
    )
  ) {
    return value.toLowerCase();
  }
  const parsed = parseUrl(value);
  const isOrigin =
    parsed !== undefined &&
    /^https?:$/.test(parsed.protocol) &&
    parsed.href === `${parsed.origin}/` &&
    !value.includes('*');
  return isOrigin ? parsed.origin : undefined;
}

function isTrustworthy(value: string): boolean {
  const { protocol, hostname } = parseUrl(value) ?? {};
  return (
    protocol === 'https:' ||
    (protocol === 'http:' &&
      ['localhost', '127.0.0.1', '[::1]'].includes(hostname ?? ''))
  );
}
