import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { RequestContextService } from '../../src/events/request-context';
import { RmqBroker } from '../../src/broker/rmq.broker';
import { TcpBroker } from '../../src/broker/tcp.broker';
import { randomUUID } from 'node:crypto';
import { freePorts, startRabbit } from '../support/brokers.js';
import { eventually, openBroker, startBrokerApp, TENANT_ROOM } from '../broker/broker-app.js';

const REPO = resolve(import.meta.dirname, '../../../..');
const DOCS = readFileSync(join(REPO, 'docs/publishing.md'), 'utf-8');
/** Below the repository, whose amqplib the samples then have. */
const FOLDER = join(REPO, 'packages/nest/tmp/docs');

/** The blocks of code of one language. */
const blocks = (language: string): string[] =>
  [...DOCS.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , code]) => code ?? '');

async function run(name: string, env: NodeJS.ProcessEnv): Promise<void> {
  const code = blocks('js').find((block) => block.startsWith(`// ${name}\n`));
  expect(code).toBeDefined();
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, name), code ?? '');
  await promisify(execFile)(process.execPath, [join(FOLDER, name)], {
    env: { PATH: process.env['PATH'], ...env },
  });
}

describe('docs/publishing.md', () => {
  afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

  const payload = { id: '1', message: 'hi', type: 'info' };
  const [body = '', frame = ''] = blocks('').map((text) => text.trimEnd());

  it('publishes to RabbitMQ with the sample, which fails where no queue is', async () => {
    const rabbit = await startRabbit();
    const broker = await openBroker(rabbit.url);
    const name = `docs-${randomUUID()}`;
    try {
      const env = { RABBITMQ_URL: rabbit.url };
      await expect(run('publish.cjs', env)).rejects.toThrow('no queue is bound');
      const { app, sent, lines } = await startBrokerApp(
        new RmqBroker(rabbit.url, name, new RequestContextService()),
      );
      await eventually(() => lines.some((line) => line.startsWith('Consuming from')));
      const { queue } = await broker.channel.assertQueue(`docs-tap-${name}`, { durable: true });
      await broker.channel.bindQueue(queue, 'realtime.events', 'notification.created');
      await run('publish.cjs', env);
      await eventually(() => sent.length === 1);
      const [message] = await broker.drain(queue);
      await broker.channel.deleteQueue(queue);
      await app.close();
      expect(sent).toMatchObject([{ room: TENANT_ROOM, payload }]);
      expect(message?.content.toString()).toBe(body);
      expect(message?.properties).toMatchObject({
        deliveryMode: 2,
        contentType: 'application/json',
        messageId: sent[0]?.meta.id,
      });
    } finally {
      await broker.channel.deleteQueue(`realtime.${name}`);
      await broker.channel.deleteQueue(`realtime.${name}.dead`);
      await broker.close();
      await rabbit.stop();
    }
  }, 90_000);

  it('publishes on the embedded transport with the sample and with the bytes', async () => {
    const [port] = await freePorts();
    const { app, sent, lines } = await startBrokerApp(
      new TcpBroker(port, new RequestContextService()),
    );
    await eventually(() => lines.some((line) => line.startsWith('Consuming on')));
    await run('publish-tcp.cjs', { REALTIME_TCP_PORT: String(port) });
    await eventually(() => sent.length === 1);
    expect(frame).toBe(`${body.length}#${body}`);
    const socket = connect(port, '127.0.0.1');
    socket.end(frame).resume();
    await once(socket, 'close');
    expect(sent).toMatchObject([
      { room: TENANT_ROOM, payload },
      { room: TENANT_ROOM, payload },
    ]);
    await app.close();
  });
});
