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
    const payload = { id: 'id-1', message: 'message-1', type: 'type-1', userId: 'userId-1' };
    const context = new BrokerEventContext(event, meta, false);
    const consume = (data: unknown) => consumer.onNotificationCreated(data, context);

    it('reaches its tenant and nobody else', () => {
      const data = { ...payload, userId: undefined };
      consume({ tenantId: 't1', notification: data });
      expect(sent).toEqual([{ room: rooms.tenantRoom('t1'), event }]);
    });

    it('reaches its user and nobody else', () => {
      const id = 'userId-1';
      const data = { ...payload, userId: id };
      consume({ tenantId: 't1', notification: data });
      expect(sent).toEqual([{ room: rooms.userRoom('t1', id), event }]);
    });

    it('is refused without a tenant', () => {
      expect(() => consume({ notification: payload })).toThrow('tenantId');
      expect(sent).toEqual([]);
    });

    it('is refused with a wrong payload', () => {
      const data = { tenantId: 't1', notification: null };
      expect(() => consume(data)).toThrow('data.notification');
      expect(sent).toEqual([]);
    });
  });
});
