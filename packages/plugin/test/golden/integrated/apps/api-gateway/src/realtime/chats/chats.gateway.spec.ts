import {
  type ServerToClientEvents,
  CHATS_NAMESPACE,
} from '@acme/realtime-contracts/chats';
import { userRoom } from '../core/rooms';
import { RealtimeTestApp } from '../testing/realtime-test-app';

describe('ChatsGateway', () => {
  const namespace = CHATS_NAMESPACE;
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

  it('delivers to its user, and to nobody else, whatever room they ask for', async () => {
    const ann = await app.connect(namespace, app.token('acme', 'ann'));
    const eve = await app.connect(namespace, app.token('acme', 'eve'));
    const spy = await app.connect(namespace, app.token('other', 'ann'));
    const room = userRoom('acme', 'ann');
    for (const foreign of [eve, spy]) {
      const ack = await foreign.timeout(2_000).emitWithAck('join', room);
      expect(ack).toMatchObject({ ok: false });
    }
    const received: string[] = [];
    const listen = (name: string, socket: typeof ann) =>
      new Promise<void>((resolve) => {
        socket.onAny((_event, _payload, { id }) => {
          received.push(`${name}: ${id}`);
          resolve();
        });
      });
    const all = Promise.all([
      listen('ann', ann),
      listen('eve', eve),
      listen('spy', spy),
    ]);

    const domain = app.broadcaster<ServerToClientEvents>(namespace);
    const payload = { id: '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11', text: 'text-1', room: 'room-1', at: '2026-01-01T00:00:00Z', tags: ['tags-1'] };
    const send = (tenantId: string, userId: string, id: string) =>
      domain.toUser(tenantId, userId, 'message.posted', payload, {
        id,
        at: new Date().toISOString(),
      });
    send('acme', 'ann', 'secret');
    send('acme', 'eve', 'last');
    send('other', 'ann', 'last');
    await all;
    expect(received.sort()).toEqual(['ann: secret', 'eve: last', 'spy: last']);
  });

  it('acknowledges chat.say', async () => {
    const client = await app.connect(namespace, app.token('acme', 'ann'));
    const payload = { room: 'room-1', text: 'text-1', mood: 'happy' };
    const ack = await client
      .timeout(2_000)
      .emitWithAck('chat.say', payload);
    expect(ack).toMatchObject({ ok: true });
  });

  it('refuses chat.say with a field that it does not know', async () => {
    const client = await app.connect(namespace, app.token('acme', 'ann'));
    const payload = { ...{ room: 'room-1', text: 'text-1', mood: 'happy' }, unexpected: true };
    const ack = await client
      .timeout(2_000)
      .emitWithAck('chat.say', payload);
    expect(ack).toMatchObject({ ok: false, error: { code: 'VALIDATION' } });
  });

  it('acknowledges chat.leave', async () => {
    const client = await app.connect(namespace, app.token('acme', 'ann'));
    const payload = {};
    const ack = await client
      .timeout(2_000)
      .emitWithAck('chat.leave', payload);
    expect(ack).toMatchObject({ ok: true });
  });

  it('refuses chat.leave with a field that it does not know', async () => {
    const client = await app.connect(namespace, app.token('acme', 'ann'));
    const payload = { ...{}, unexpected: true };
    const ack = await client
      .timeout(2_000)
      .emitWithAck('chat.leave', payload);
    expect(ack).toMatchObject({ ok: false, error: { code: 'VALIDATION' } });
  });
});
