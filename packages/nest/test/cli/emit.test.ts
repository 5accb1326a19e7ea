import { randomUUID } from 'node:crypto';
import { RequestContextService } from '../../src/events/request-context';
import { RmqBroker } from '../../src/broker/rmq.broker';
import { TcpBroker } from '../../src/broker/tcp.broker';
import { type Broker, freePorts, startRabbit } from '../support/brokers.js';
import {
  eventually,
  openBroker,
  startBrokerApp,
  TENANT_ROOM,
  USER_ROOM,
} from '../broker/broker-app.js';
import { CliHost } from './cli-host.js';

const CREATED = ['emit', 'notification.created'];
const FIELDS = ['--id=1', '--message=hi', '--type=info'];

describe('nx-realtime emit', () => {
  let host: CliHost;

  beforeEach(() => {
    host = new CliHost();
  });

  afterEach(() => host.remove());

  describe('what it refuses before it reaches a broker', () => {
    it.each([
      ['RT033', 'notification.created', ['emit', 'notification.gone']],
      ['RT038', 'notification.created', ['emit']],
      ['RT038', 'notification.created', ['emit', '--tenant=t1']],
      ['RT038', 'surplus', [...CREATED, 'surplus']],
      ['RT038', '--massage', [...CREATED, ...FIELDS, '--massage=x']],
      ['RT038', '--tenant', [...CREATED, ...FIELDS, '--tenant=']],
      ['RT034', 'message: ', [...CREATED, '--id=1', '--type=info']],
      ['RT034', 'id: ', [...CREATED, '--data={"id":1,"message":"m","type":"t"}']],
      ['RT034', 'massage', [...CREATED, '--data={"id":"1","message":"m","type":"t","massage":1}']],
      ['RT034', 'no JSON object', [...CREATED, '--data=[]']],
      ['RT034', 'no JSON object', [...CREATED, '--data={id:1}']],
      ['RT034', 'not field=value', [...CREATED, '--field=nope=1']],
      ['RT034', 'count: ', ['emit', 'notification.typed', '--count=1.5', '--on=true']],
      ['RT034', 'on: ', ['emit', 'notification.typed', '--count=1', '--on=yes']],
      ['RT034', 'mood: ', ['emit', 'notification.typed', '--count=1', '--on=true', '--mood=c']],
      ['RT034', 'when: ', ['emit', 'notification.typed', '--count=1', '--on=true', '--when=now']],
      ['RT034', '--any', ['emit', 'notification.typed', '--count=1', '--on=true', '--any={']],
      ['RT034', 'userId: ', ['emit', 'notification.direct']],
      ['RT032', 'RABBITMQ_URL', [...CREATED, ...FIELDS]],
    ])('%s, naming %s: %j', async (code, named, args) => {
      const failure = host.run(args);
      await expect(failure).rejects.toThrow(new RegExp(`^${code} `));
      await expect(failure).rejects.toThrow(named);
    });

    it('a broker that is not on this machine, unless someone says yes', async () => {
      const env = { RABBITMQ_URL: 'amqp://u:secret@rabbit.example:5672' };
      const args = [...CREATED, ...FIELDS];
      const refused = host.run(args, { env });
      await expect(refused).rejects.toThrow(/^RT039 .*rabbit\.example:5672.*--yes/);
      await expect(refused).rejects.not.toThrow('secret');
      expect(await host.run(args, { env, answer: false })).toMatchObject({ code: 1, out: [] });
      expect(host.asked).toEqual(['Publish notification.created on rabbit.example:5672?']);
      const local = { RABBITMQ_URL: 'amqp://localhost:1', NODE_ENV: 'production' };
      await expect(host.run(args, { env: local })).rejects.toThrow(/^RT039 .*production/);
    });

    it('a broker or an app that does not answer', async () => {
      const [port] = await freePorts();
      const args = [...CREATED, ...FIELDS];
      const url = `amqp://u:secret@127.0.0.1:${port}`;
      const rmq = host.run(args, { env: { RABBITMQ_URL: url } });
      await expect(rmq).rejects.toThrow(new RegExp(`^RT036 RabbitMQ at 127.0.0.1:${port} cannot`));
      await expect(rmq).rejects.not.toThrow('secret');
      const env = { REALTIME_TRANSPORT: 'tcp', REALTIME_TCP_PORT: String(port) };
      await expect(host.run(args, { env })).rejects.toThrow(/^RT036 .*nx serve api-gateway/);
      await expect(host.run(args, { env: { ...env, REALTIME_TCP_PORT: '' } })).rejects.toThrow(
        /^RT032 REALTIME_TCP_PORT/,
      );
      await expect(host.run(args, { env: { ...env, REALTIME_TCP_PORT: '99999' } })).rejects.toThrow(
        /^RT032 REALTIME_TCP_PORT/,
      );
      const elsewhere = host.run([...args, `--url=${url}`], { env: { RABBITMQ_URL: 'amqp://x' } });
      await expect(elsewhere).rejects.toThrow(/^RT036 /);
      await expect(host.run([...args, '--url=https://a.example'])).rejects.toThrow(
        /^RT038 --url is the address of RabbitMQ.*--field=url=<value>/,
      );
      await expect(host.run(args, { env: { RABBITMQ_URL: 'nonsense' } })).rejects.toThrow(
        /^RT032 /,
      );
    });
  });

  it('reaches the clients on the embedded transport', async () => {
    const [port] = await freePorts();
    const consumer = await startBrokerApp(new TcpBroker(port, new RequestContextService()));
    try {
      await eventually(() => consumer.lines.some((line) => line.startsWith('Consuming on')));
      const env = { REALTIME_TRANSPORT: 'tcp', REALTIME_TCP_PORT: String(port) };
      expect(await host.run([...CREATED, ...FIELDS], { env })).toMatchObject({ code: 0, out: [] });
      await host.run([...CREATED, '--data={"id":"2","message":"é👋","type":"t","userId":"u7"}'], {
        env,
      });
      expect(consumer.sent).toMatchObject([
        { room: TENANT_ROOM, payload: { id: '1', message: 'hi', type: 'info' } },
        { room: USER_ROOM, payload: { id: '2', message: 'é👋' } },
      ]);
    } finally {
      await consumer.app.close();
    }
  });

  describe('on RabbitMQ', () => {
    const name = `cli-${randomUUID()}`;
    let rabbit: Broker;
    let broker: Awaited<ReturnType<typeof openBroker>>;
    let consumer: Awaited<ReturnType<typeof startBrokerApp>>;
    let env: NodeJS.ProcessEnv;

    beforeAll(async () => {
      rabbit = await startRabbit();
      broker = await openBroker(rabbit.url);
      consumer = await startBrokerApp(new RmqBroker(rabbit.url, name, new RequestContextService()));
      await eventually(() => consumer.lines.some((line) => line.startsWith('Consuming from')));
      env = { RABBITMQ_URL: rabbit.url };
    }, 60_000);

    afterAll(async () => {
      await consumer?.app.close();
      await broker.channel.deleteQueue(`realtime.${name}`);
      await broker.channel.deleteQueue(`realtime.${name}.dead`);
      await broker.close();
      await rabbit.stop();
    });

    it('reaches the clients, and prints the id of the event', async () => {
      const { code, out } = await host.run([...CREATED, ...FIELDS, '--tenant=t1'], { env });
      expect(code).toBe(0);
      await eventually(() => consumer.sent.length === 1);
      expect(consumer.sent).toMatchObject([{ room: TENANT_ROOM, meta: { id: out[0] } }]);
      const again = [...CREATED, ...FIELDS, '--message-id=mine'];
      await host.run(again, { env });
      await host.run(again, { env });
      await host.run([...CREATED, ...FIELDS, '--field=id=last'], { env });
      await eventually(() => consumer.sent.some(({ payload }) => payload.id === 'last'));
      expect(consumer.sent.filter(({ meta }) => meta.id === 'mine')).toHaveLength(1);
    });

    it('makes of text what the fields are', async () => {
      const { queue } = await broker.channel.assertQueue('', { durable: true });
      await broker.channel.bindQueue(queue, 'realtime.events', 'notification.typed');
      const args = [
        '--count=7',
        '--on=false',
        '--tags=a, b',
        '--any={"x":[1]}',
        '--field=tenant=x',
      ];
      await host.run(['emit', 'notification.typed', ...args], { env });
      const [message] = await broker.drain(queue);
      await broker.channel.deleteQueue(queue);
      expect(JSON.parse(message?.content.toString() ?? '')).toEqual({
        pattern: 'notification.typed',
        data: {
          tenantId: 't1',
          notification: { count: 7, on: false, tags: ['a', 'b'], any: { x: [1] }, tenant: 'x' },
        },
      });
      expect(message?.properties).toMatchObject({
        deliveryMode: 2,
        contentType: 'application/json',
      });
    });

    it('says that no app takes the event', async () => {
      await expect(
        host.run(['emit', 'notification.direct', '--userId=u1'], { env }),
      ).rejects.toThrow(/^RT036 .*no queue for "notification\.direct"/);
    });
  });
});
