import { recordBroadcasts } from '@nx-realtime/nest/testing';
import { ChatsWsConsumer } from './chats-ws.consumer';

describe('ChatsWsConsumer', () => {
  let recorded: ReturnType<typeof recordBroadcasts>;
  let consumer: ChatsWsConsumer;

  beforeEach(() => {
    recorded = recordBroadcasts();
    consumer = new ChatsWsConsumer(recorded.broadcaster);
  });

  describe('chat.created', () => {
    const event = 'chat.created';
    const payload = {
      id: 'id-1',
      message: 'message-1',
      type: 'type-1',
      chatId: 'chatId-1',
    };
    const consume = (data: unknown, tenantId?: string) =>
      recorded.deliver(consumer, event, {
        tenantId,
        chat: data,
      });

    it('reaches its resource and nobody else', async () => {
      await consume(payload, 't1');
      const room = recorded.rooms.resource('t1', 'chatId-1');
      expect(recorded.sent).toEqual([{ room, event }]);
    });

    it('is refused without a tenant', async () => {
      await expect(consume(payload)).rejects.toThrow('tenantId');
      expect(recorded.sent).toEqual([]);
    });

    it('is refused with a wrong payload', async () => {
      await expect(consume(null, 't1')).rejects.toThrow('data.chat');
      expect(recorded.sent).toEqual([]);
    });
  });
});
