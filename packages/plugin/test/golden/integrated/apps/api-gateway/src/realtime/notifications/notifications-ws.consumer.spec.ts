import { recordBroadcasts } from '@nx-realtime/nest/testing';
import { NotificationsWsConsumer } from './notifications-ws.consumer';

describe('NotificationsWsConsumer', () => {
  let recorded: ReturnType<typeof recordBroadcasts>;
  let consumer: NotificationsWsConsumer;

  beforeEach(() => {
    recorded = recordBroadcasts();
    consumer = new NotificationsWsConsumer(recorded.broadcaster);
  });

  describe('notification.created', () => {
    const event = 'notification.created';
    const payload = {
      id: 'id-1',
      message: 'message-1',
      type: 'type-1',
      userId: 'userId-1',
    };
    const consume = (data: unknown, tenantId?: string) =>
      recorded.deliver(consumer, event, {
        tenantId,
        notification: data,
      });

    it('reaches its tenant and nobody else', async () => {
      await consume({ ...payload, userId: undefined }, 't1');
      const room = recorded.rooms.tenant('t1');
      expect(recorded.sent).toEqual([{ room, event }]);
    });

    it('reaches its user and nobody else', async () => {
      await consume(payload, 't1');
      const room = recorded.rooms.user('t1', 'userId-1');
      expect(recorded.sent).toEqual([{ room, event }]);
    });

    it('is refused without a tenant', async () => {
      await expect(consume(payload)).rejects.toThrow('tenantId');
      expect(recorded.sent).toEqual([]);
    });

    it('is refused with a wrong payload', async () => {
      await expect(consume(null, 't1')).rejects.toThrow('data.notification');
      expect(recorded.sent).toEqual([]);
    });
  });
});
