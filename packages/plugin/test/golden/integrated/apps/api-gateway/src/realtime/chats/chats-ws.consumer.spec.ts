import { recordBroadcasts } from '@nx-realtime/nest/testing';
import { ChatsWsConsumer } from './chats-ws.consumer';

describe('ChatsWsConsumer', () => {
  let recorded: ReturnType<typeof recordBroadcasts>;
  let consumer: ChatsWsConsumer;

  beforeEach(() => {
    recorded = recordBroadcasts();
    consumer = new ChatsWsConsumer(recorded.broadcaster);
  });

  describe('message.posted', () => {
    const event = 'message.posted';
    const payload = {
      id: '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11',
      text: 'text-1',
      room: 'room-1',
      at: '2026-01-01T00:00:00Z',
      tags: ['tags-1'],
    };
    const consume = (data: unknown, tenantId?: string) =>
      recorded.deliver(consumer, event, {
        tenantId,
        chat: data,
      });

    it('reaches its tenant and nobody else', async () => {
      await consume(payload, 't1');
      const room = recorded.rooms.tenant('t1');
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

  describe('message.edited', () => {
    const event = 'message.edited';
    const payload = {
      id: '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11',
      text: 'text-1',
      editedAt: '2026-01-01T00:00:00Z',
    };
    const consume = (data: unknown, tenantId?: string) =>
      recorded.deliver(consumer, event, {
        tenantId,
        chat: data,
      });

    it('reaches its tenant and nobody else', async () => {
      await consume(payload, 't1');
      const room = recorded.rooms.tenant('t1');
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

  describe('message.deleted', () => {
    const event = 'message.deleted';
    const payload = {
      id: 'id-1',
    };
    const consume = (data: unknown, tenantId?: string) =>
      recorded.deliver(consumer, event, {
        tenantId,
        chat: data,
      });

    it('reaches its tenant and nobody else', async () => {
      await consume(payload, 't1');
      const room = recorded.rooms.tenant('t1');
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

  describe('chat.cleared', () => {
    const event = 'chat.cleared';
    const payload = {};
    const consume = (data: unknown, tenantId?: string) =>
      recorded.deliver(consumer, event, {
        tenantId,
        chat: data,
      });

    it('reaches its tenant and nobody else', async () => {
      await consume(payload, 't1');
      const room = recorded.rooms.tenant('t1');
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
