import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type ClientProxy, ClientProxyFactory, Transport } from '@nestjs/microservices';
import { RequestContextService } from '../../src/events/request-context';
import { TcpBroker } from '../../src/broker/tcp.broker';
import { lastValueFrom } from 'rxjs';
import { freePorts } from '../support/brokers.js';
import {
  calls,
  eventually,
  notification,
  startBrokerApp,
  TENANT_ROOM,
  USER_ROOM,
} from './broker-app.js';

describe('TcpBroker', () => {
  let port: number;
  let strategy: TcpBroker;
  let consumer: Awaited<ReturnType<typeof startBrokerApp>>;
  let publisher: ClientProxy;

  beforeAll(async () => {
    [port] = await freePorts();
    strategy = new TcpBroker(port, new RequestContextService());
    consumer = await startBrokerApp(strategy);
    await eventually(() => consumer.lines.some((line) => line.startsWith('Consuming on')));
    publisher = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
  });

  afterAll(async () => {
    publisher.close();
    await consumer.app.close();
  });

  beforeEach(() => {
    consumer.sent.length = 0;
    consumer.lines.length = 0;
    calls.length = 0;
  });

  const emit = (pattern: string, data: unknown) => lastValueFrom(publisher.emit(pattern, data));

  async function expectNextIsProcessed(): Promise<void> {
    const { pattern, data } = notification({ id: 'next' });
    await emit(pattern, data);
    await eventually(() => consumer.sent.some(({ payload }) => payload.id === 'next'));
  }

  it('takes what a plain Nest client emits', async () => {
    const { pattern, data } = notification();
    await emit(pattern, data);
    await emit(pattern, notification({ userId: 'u7' }).data);
    await eventually(() => consumer.sent.length === 2);
    expect(consumer.sent.map(({ room }) => room)).toEqual([TENANT_ROOM, USER_ROOM]);
    expect(consumer.sent[0]?.meta.id).toMatch(/^[\da-f-]{36}$/);
  });

  it.each([
    ['an unknown pattern', 'audit.hack', {}, 'UNKNOWN_PATTERN'],
    ['a pattern of the host', 'host.any', {}, 'UNKNOWN_PATTERN'],
    ['no tenant', 'notification.created', {}, 'TENANT'],
    ['a wrong payload', 'notification.created', { tenantId: 't1' }, 'PAYLOAD'],
    ['what a guard refuses', 'test.guarded', {}, 'INTERNAL'],
    ['what a pipe refuses', 'test.piped', {}, 'PIPE'],
  ])('logs and drops %s, and goes on', async (_what, pattern, data, code) => {
    await emit(pattern, data);
    await expectNextIsProcessed();
    expect(consumer.lines.filter((l) => l.includes('Dropped') && l.includes(code))).toHaveLength(1);
    expect(consumer.sent).toHaveLength(1);
    expect(calls).toEqual([]);
  });

  it('does not answer requests', async () => {
    const answers: unknown[] = [];
    publisher.send('notification.created', notification().data).subscribe({
      next: (answer) => answers.push(answer),
      error: (error) => answers.push(error),
    });
    await eventually(() => consumer.lines.some((line) => line.includes('RPC')));
    await expectNextIsProcessed();
    expect(answers).toEqual([]);
    expect(consumer.sent).toHaveLength(1);
  });

  const large = JSON.stringify(notification({ message: 'x'.repeat(300_000) }));

  it.each([
    ['text', 'hello#hello'],
    ['a wrong length', '5#{}'],
    ['not JSON', '3#abc'],
    ['null', '4#null'],
    ['a number', '2#42'],
    ['more than 256 KiB', `${large.length}#${large}`],
  ])('survives raw bytes: %s', async (_what, bytes) => {
    const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    socket.end(bytes);
    await once(socket, 'close');
    await expectNextIsProcessed();
    expect(consumer.sent).toHaveLength(1);
  });

  it('listens on this machine only', async () => {
    expect(strategy.unwrap<ReturnType<typeof connectTcp>>().address()).toMatchObject({
      address: '127.0.0.1',
    });
    const outer = Object.values(networkInterfaces())
      .flat()
      .find((found) => found && !found.internal && found.family === 'IPv4');
    if (outer) {
      const socket = connectTcp(port, outer.address);
      const [error] = await once(socket, 'error');
      expect(error.code).toBe('ECONNREFUSED');
    }
  });

  it('starts once, and reports a port that is taken', async () => {
    strategy.start((error) => consumer.fatal.push(error));
    const second = await startBrokerApp(new TcpBroker(port, new RequestContextService()));
    await eventually(() => second.fatal.length);
    expect(second.fatal[0]?.message).toContain(`REALTIME_TCP_PORT ${port}: listen EADDRINUSE`);
    await second.app.close();
    expect(consumer.fatal).toEqual([]);
    await expectNextIsProcessed();
  });

  it('ends with its app', async () => {
    const [own] = await freePorts();
    const short = await startBrokerApp(new TcpBroker(own, new RequestContextService()));
    await eventually(() => short.lines.some((line) => line.startsWith('Consuming on')));
    await short.app.close();
    const [error] = await once(connectTcp(own, '127.0.0.1'), 'error');
    expect(error.code).toBe('ECONNREFUSED');
  });
});
