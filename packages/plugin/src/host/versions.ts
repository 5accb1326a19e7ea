/**
 * Packages that hold what is under all domains, by what depends on them: Nest apps, web apps. They have the plugin's
 * own version.
 */
export const KERNELS = { nest: '@nx-realtime/nest', react: '@nx-realtime/react' } as const;

export type Kernel = keyof typeof KERNELS;

/**
 * Versions of what generated code imports and what the kernels need of a host, where the host has none yet; a host's
 * own version is never changed. Nest packages follow the host's Nest major.
 */
export const VERSIONS = {
  /** Optional peers of the server kernel: with RabbitMQ, and with Redis. */
  server: {
    'amqp-connection-manager': '^5.0.0',
    amqplib: '^2.3.1',
    ioredis: '^6.0.0',
  },
  /** With --observability. */
  observability: { '@opentelemetry/api': '^1.9.0', 'prom-client': '^15.1.3' },
  /** Released together with @nestjs/core: they take the host's own range. */
  nestLockstep: ['@nestjs/microservices', '@nestjs/platform-socket.io', '@nestjs/websockets'],
  shared: { zod: '^4.4.0' },
  web: { 'socket.io-client': '^4.8.3', zustand: '^5.0.8' },
  /** What a kernel brings along, and the workspace has to name where it owns its sources. */
  ejected: {
    nest: {
      jose: '^6.2.0',
      jsonwebtoken: '^9.0.3',
      'nestjs-cls': '^6.3.1',
      'socket.io': '^4.8.3',
      'socket.io-adapter': '^2.5.5',
    },
    react: {},
  },
  /** To compile those sources. */
  ejectedTypes: { nest: { '@types/jsonwebtoken': '^9.0.10' }, react: {} },
} as const;
