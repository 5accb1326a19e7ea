/**
 * Versions of what generated code imports, where the host has none yet; a host's own version is
 * never changed. Nest packages follow the host's Nest major.
 */
export const VERSIONS = {
  server: {
    '@nestjs/jwt': { 11: '^11.0.2', 12: '^12.0.2' },
    '@nestjs/terminus': { 11: '^11.1.1', 12: '^12.1.0' },
    'amqp-connection-manager': '^5.0.0',
    amqplib: '^2.3.1',
    ioredis: '^6.0.0',
    jose: '^6.2.0',
    'nestjs-cls': '^6.3.1',
    'socket.io': '^4.8.3',
    'socket.io-adapter': '^2.5.5',
  },
  /** With --observability. */
  observability: { '@opentelemetry/api': '^1.9.0', 'prom-client': '^15.1.3' },
  /** Released together with @nestjs/core: they take the host's own range. */
  nestLockstep: ['@nestjs/microservices', '@nestjs/platform-socket.io', '@nestjs/websockets'],
  shared: { zod: '^4.4.0' },
  web: { 'socket.io-client': '^4.8.3', zustand: '^5.0.8' },
} as const;
