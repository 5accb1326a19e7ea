import { RealtimeTestApp } from '@nx-realtime/nest/testing';
import {
  NOTIFICATIONS_NAMESPACE,
  type NotificationCreated,
  type ServerToClientEvents,
} from '@observed/realtime-contracts/notifications';
import { RealtimeModule } from '../realtime.module';

describe('NotificationsGateway', () => {
  const namespace = NOTIFICATIONS_NAMESPACE;
  let app: RealtimeTestApp;

  beforeAll(async () => {
    app = await RealtimeTestApp.start({
      module: RealtimeModule,
      isolated: true,
    });
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

  it('delivers to its user, and to nobody else, whatever room they ask for', async () => {
    const ann = await app.connect(namespace, app.token('acme', 'ann'));
    const eve = await app.connect(namespace, app.token('acme', 'eve'));
    const spy = await app.connect(namespace, app.token('other', 'ann'));
    const room = app.userRoom('acme', 'ann');
    for (const foreign of [eve, spy]) {
      const ack = await foreign.timeout(2_000).emitWithAck('join', room);
      expect(ack).toMatchObject({ ok: false });
    }
    const received: string[] = [];
    const heard = Object.entries({ ann, eve, spy }).map(
      ([name, socket]) =>
        new Promise<void>((resolve) => {
          socket.onAny((_event, _payload, { id }) => {
            received.push(`${name}: ${id}`);
            resolve();
          });
        }),
    );

    const domain = app.broadcaster<ServerToClientEvents>(namespace);
    const event = 'notification.created';
    const payload: NotificationCreated = {
      id: 'id-1',
      message: 'message-1',
      type: 'type-1',
      userId: 'userId-1',
    };
    const at = new Date().toISOString();
    const send = (tenantId: string, userId: string, id: string) =>
      domain.toUser(tenantId, userId, event, payload, { id, at });
    send('acme', 'ann', 'secret');
    send('acme', 'eve', 'last');
    send('other', 'ann', 'last');
    await Promise.all(heard);
    expect(received.sort()).toEqual(['ann: secret', 'eve: last', 'spy: last']);
  });
});
