import { BrokerEventContext } from '../core/broker';
import { Broadcaster } from '../core/broadcaster';
import * as rooms from '../core/rooms';
import { ChatsWsConsumer } from './chats-ws.consumer';

type Server = Parameters<Broadcaster['bind']>[0];

describe('ChatsWsConsumer', () => {
  const meta = { id: 'event-1', at: '2030-01-01T00:00:00.000Z' };
  let sent: unknown[];
  let consumer: ChatsWsConsumer;

  beforeEach(() => {
    sent = [];
    const to = (room: string) => ({
      emit: (event: string) => sent.push({ room, event }),
    });
    const broadcaster = new Broadcaster();
    broadcaster.bind({ of: () => ({ to }) } as unknown as Server);
    consumer = new ChatsWsConsumer(broadcaster);
  });

  describe('chat.created', () => {
    const event = 'chat.created';
    const payload = {
      id: 'id-1',
      message: 'message-1',
      type: 'type-1',
      chatId: 'chatId-1',
    };
    const context = new BrokerEventContext(event, meta, false);
    const consume = (data: unknown, tenantId?: string) =>
      consumer.onChatCreated({ tenantId, chat: data }, context);

    it('reaches its resource and nobody else', () => {
      consume(payload, 't1');
      const room = rooms.resourceRoom('t1', 'chatId-1');
      expect(sent).toEqual([{ room, event }]);
    });

    it('is refused without a tenant', () => {
      expect(() => consume(payload)).toThrow('tenantId');
      expect(sent).toEqual([]);
    });

    it('is refused with a wrong payload', () => {
      expect(() => consume(null, 't1')).toThrow('data.chat');
      expect(sent).toEqual([]);
    });
  });
});
