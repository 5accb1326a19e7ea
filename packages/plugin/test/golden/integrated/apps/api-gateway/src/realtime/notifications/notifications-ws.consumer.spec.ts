import { BrokerEventContext } from '../core/broker';
import { Broadcaster } from '../core/broadcaster';
import * as rooms from '../core/rooms';
import { NotificationsWsConsumer } from './notifications-ws.consumer';

type Server = Parameters<Broadcaster['bind']>[0];

describe('NotificationsWsConsumer', () => {
  const meta = { id: 'event-1', at: '2030-01-01T00:00:00.000Z' };
  let sent: unknown[];
  let consumer: NotificationsWsConsumer;

  beforeEach(() => {
    sent = [];
    const to = (room: string) => ({
      emit: (event: string) => sent.push({ room, event }),
    });
    const broadcaster = new Broadcaster();
    broadcaster.bind({ of: () => ({ to }) } as unknown as Server);
    consumer = new NotificationsWsConsumer(broadcaster);
  });

  describe('notification.created', () => {
    const event = 'notification.created';
    const payload = {
      id: 'id-1',
      message: 'message-1',
      type: 'type-1',
      userId: 'userId-1',
    };
    const context = new BrokerEventContext(event, meta, false);
    const consume = (data: unknown, tenantId?: string) =>
      consumer.onNotificationCreated({ tenantId, notification: data }, context);

    it('reaches its tenant and nobody else', () => {
      consume({ ...payload, userId: undefined }, 't1');
      expect(sent).toEqual([{ room: rooms.tenantRoom('t1'), event }]);
    });

    it('reaches its user and nobody else', () => {
      consume(payload, 't1');
      const room = rooms.userRoom('t1', 'userId-1');
      expect(sent).toEqual([{ room, event }]);
    });

    it('is refused without a tenant', () => {
      expect(() => consume(payload)).toThrow('tenantId');
      expect(sent).toEqual([]);
    });

    it('is refused with a wrong payload', () => {
      expect(() => consume(null, 't1')).toThrow('data.notification');
      expect(sent).toEqual([]);
    });
  });
});
