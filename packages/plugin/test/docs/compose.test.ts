import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const PLUGIN = resolve(import.meta.dirname, '../..');
const README = readFileSync(join(PLUGIN, 'README.md'), 'utf-8').replaceAll(/\s+/g, ' ');
const COMPOSE = readFileSync(join(PLUGIN, 'templates/docker-compose.realtime.yml'), 'utf-8');

const found = (pattern: RegExp): string => pattern.exec(COMPOSE)?.[1] ?? `no ${String(pattern)}`;

it('the README names the addresses and versions of the compose file', () => {
  const user = found(/RABBITMQ_USER:-(\w+)/);
  const password = found(/RABBITMQ_PASSWORD:-(\w+)/);
  const amqp = found(/'(127\.0\.0\.1:\d+):5672'/);
  const redis = found(/'(127\.0\.0\.1:\d+):6379'/);
  expect(README).toContain(`RABBITMQ_URL=amqp://${user}:${password}@${amqp} `);
  expect(README).toContain(`REDIS_URL=redis://${redis}\``);
  const images = `RabbitMQ ${found(/rabbitmq:([\d.]+)/)} and Redis ${found(/redis:([\d.]+)/)}.`;
  expect(README).toContain(`The compose file names ${images} They are not tested yet.`);
});
