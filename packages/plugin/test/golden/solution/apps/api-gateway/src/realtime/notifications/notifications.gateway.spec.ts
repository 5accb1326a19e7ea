import {
  NOTIFICATIONS_NAMESPACE,
  type NotificationCreated,
  type ServerToClientEvents,
} from '@acme-ts/realtime-contracts/notifications';
import { RealtimeTestApp } from '../testing/realtime-test-app';

describe('NotificationsGateway', () => {
  const namespace = NOTIFICATIONS_NAMESPACE;
  let app: RealtimeTestApp;

  beforeAll(async () => {
    app = await RealtimeTestApp.start();
  });

  afterAll(() => app?.close());

  it('refuses a client without a token', async () => {
    expect(await app.refusal(namespace, {})).toBe('UNAUTHORIZED');
  });

  it('refuses an expired token', async () => {
    const token = app.token('acme', 'ann', -1);
    expect(await app.refusal(namespace, { token })).toBe('TOKEN_EXPIRED');
  });

  it('refuses a foreign origin, even with a token', async () => {
    const token = app.token('acme', 'ann');
    const origin = 'https://evil.example';
    const refusal = await app.refusal(namespace, { token, origin });
    expect(refusal).toBe('websocket error');
  });

  it('delivers to the user, and nothing to a foreign tenant', async () => {
    const ann = await app.connect(namespace, app.token('acme', 'ann'));
    const spy = await app.connect(namespace, app.token('other', 'ann'));
    const received: string[] = [];
    const listen = (name: string, socket: typeof ann) =>
      new Promise<void>((resolve) => {
        socket.onAny((_event, _payload, { id }) => {
          received.push(`${name}: ${id}`);
          resolve();
        });
      });
    const both = Promise.all([listen('ann', ann), listen('spy', spy)]);

    const domain = app.broadcaster<ServerToClientEvents>(namespace);
    const event = 'notification.created';
    const payload: NotificationCreated = {
      id: 'id-1',
      message: 'message-1',
      type: 'type-1',
      userId: 'userId-1',
    };
    const send = (tenantId: string, id: string) =>
      domain.toUser(tenantId, 'ann', event, payload, {
        id,
        at: new Date().toISOString(),
      });
    send('acme', 'secret');
    send('other', 'last');
    await both;
    expect(received.sort()).toEqual(['ann: secret', 'spy: last']);
  });
});
