import { createHost, installPlugin, type Host } from './support/host';
import type { Running } from './support/processes';
import { tcpPublisher } from './support/publish';
import { recipientsOf } from './support/recorder';
import {
  choosePorts,
  connectUsers,
  eventually,
  startApiEmbedded,
  urlsOf,
  type Ports,
} from './support/stack';

describe('a workspace without any app', () => {
  let host: Host;
  let ports: Ports;
  let server: Running | undefined;

  beforeAll(async () => {
    host = await createHost('empty', 'empty-workspace');
    ports = await choosePorts();
    await installPlugin(host);
    host.commit('Add the plugin');
  });

  afterAll(() => server?.stop());

  it('gets both apps and a domain from one command', async () => {
    await host.run('npx nx g realtime-domain Notification --standalone --createWeb');
    for (const file of [
      'apps/api-gateway/src/realtime/notifications/notifications.gateway.ts',
      'apps/web/src/features/notifications/realtime/notifications-provider.tsx',
      'libs/realtime-contracts/src/notifications.contract.ts',
    ]) {
      expect([file, host.has(file)]).toEqual([file, true]);
    }
    host.commit('Generate the stack');
    await host.run('npx nx g realtime-domain Notification --standalone --createWeb');
    expect(host.status()).toEqual([]);
  });

  it('builds, boots and delivers', async () => {
    const { api } = urlsOf(ports);
    await host.run('npx nx run-many -t build', { NEXT_PUBLIC_API_URL: api });
    server = await startApiEmbedded(host, ports);
    const publisher = await eventually(() => tcpPublisher(ports.tcp));
    const recorders = await connectUsers(() => api, '/notifications');
    const publish = (tenantId: string, id: string): Promise<void> =>
      publisher.publish('notification.created', tenantId, { id, message: id, type: 'info' });
    await publish('t1', 'n1');
    const expected = ['t1/u1', 't1/u2'];
    const received = await recipientsOf('n1', expected, recorders, async (barrier) => {
      for (const tenant of ['t1', 't2']) await publish(tenant, barrier);
    });
    expect(received).toEqual(expected);
    recorders.forEach((recorder) => recorder.close());
    await publisher.close();
  });
});
