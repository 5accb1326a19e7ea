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

  describe('message.posted', () => {
    const event = 'message.posted';
    const payload = {
      id: '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11',
      text: 'text-1',
      room: 'room-1',
      at: '2026-01-01T00:00:00Z',
      tags: ['tags-1'],
    };
    const context = new BrokerEventContext(event, meta, false);
    const consume = (data: unknown, tenantId?: string) =>
      consumer.onMessagePosted({ tenantId, chat: data }, context);

    it('reaches its tenant and nobody else', () => {
      consume(payload, 't1');
      expect(sent).toEqual([{ room: rooms.tenantRoom('t1'), event }]);
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

  describe('message.edited', () => {
    const event = 'message.edited';
    const payload = {
      id: '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11',
      text: 'text-1',
      editedAt: '2026-01-01T00:00:00Z',
    };
    const context = new BrokerEventContext(event, meta, false);
    const consume = (data: unknown, tenantId?: string) =>
      consumer.onMessageEdited({ tenantId, chat: data }, context);

    it('reaches its tenant and nobody else', () => {
      consume(payload, 't1');
      expect(sent).toEqual([{ room: rooms.tenantRoom('t1'), event }]);
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

  describe('message.deleted', () => {
    const event = 'message.deleted';
    const payload = {
      id: 'id-1',
    };
    const context = new BrokerEventContext(event, meta, false);
    const consume = (data: unknown, tenantId?: string) =>
      consumer.onMessageDeleted({ tenantId, chat: data }, context);

    it('reaches its tenant and nobody else', () => {
      consume(payload, 't1');
      expect(sent).toEqual([{ room: rooms.tenantRoom('t1'), event }]);
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

  describe('chat.cleared', () => {
    const event = 'chat.cleared';
    const payload = {};
    const context = new BrokerEventContext(event, meta, false);
    const consume = (data: unknown, tenantId?: string) =>
      consumer.onChatCleared({ tenantId, chat: data }, context);

    it('reaches its tenant and nobody else', () => {
      consume(payload, 't1');
      expect(sent).toEqual([{ room: rooms.tenantRoom('t1'), event }]);
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
