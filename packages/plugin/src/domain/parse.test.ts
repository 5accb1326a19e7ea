import { describe, expect, it } from 'vitest';
import { toDomainFile, writeDomainFile } from './domain-file.js';
import { checkDomains, draftDomain, readDomain } from './parse.js';
import type { Domain } from './types.js';

const draft = (options: Parameters<typeof draftDomain>[0], file: object | null = null) =>
  draftDomain(options, file as never);

const resolved = (name: string, options: object = {}): Domain => ({
  ...draft({ name, ...options }),
  app: 'api-gateway',
  web: 'web',
});

describe('draftDomain', () => {
  it('fills in every default from the name alone', () => {
    expect(draft({ name: 'Notification' })).toMatchObject({
      namespace: '/notifications',
      rooms: 'tenant',
      contracts: 'realtime-contracts',
      app: undefined,
      web: undefined,
      clientEvents: [],
      serverEvents: [
        {
          name: 'notification.created',
          audience: { to: 'user', field: 'userId', otherwise: 'tenant' },
        },
      ],
    });
  });

  it('keeps what the file says where a flag is not given, and adds events', () => {
    const file = toDomainFile(resolved('Chat', { namespace: '/talk' }), 'x.json');
    const next = draft({ name: 'chats', clientEvents: ['say{text}'] }, file);
    expect(next.namespace).toBe('/talk');
    expect(next.serverEvents.map(({ name }) => name)).toEqual(['chat.created']);
    expect(next.clientEvents.map(({ name }) => name)).toEqual(['chat.say']);
  });

  it('changes an event that is given again and keeps its audience while its field is there', () => {
    const file = {
      name: 'Chat',
      serverEvents: {
        'chat.created': {
          payload: { id: 'string', ownerId: 'string' },
          audience: { to: 'user', field: 'ownerId' },
        },
      },
    };
    const kept = draft({ name: 'Chat', serverEvents: ['created{id,ownerId,text}'] }, file);
    expect(kept.serverEvents[0]?.audience).toEqual({ to: 'user', field: 'ownerId' });
    const lost = draft({ name: 'Chat', serverEvents: ['created{id}'] }, file);
    expect(lost.serverEvents[0]?.audience).toEqual({ to: 'tenant' });
  });

  it('sends an event with a required userId to that user only', () => {
    const [event] = draft({ name: 'Chat', serverEvents: ['created{userId}'] }).serverEvents;
    expect(event?.audience).toEqual({ to: 'user', field: 'userId' });
  });

  it('takes none as a server-only domain', () => {
    expect(draft({ name: 'Chat', web: 'none' }).web).toBeNull();
  });

  it.each([
    [{ namespace: '/' }, 'RT005'],
    [{ namespace: 'chats' }, 'RT005'],
    [{ namespace: '/a b' }, 'RT005'],
    [{ rooms: 'everyone' }, 'RT007'],
    [{ rooms: 'user', serverEvents: ['created{id}'] }, 'RT007'],
    [{ clientEvents: ['say{tenantId}'] }, 'RT007'],
    [{ serverEvents: ['a.bC', 'a.b.c'] }, 'RT004'],
    [{ serverEvents: ['say'], clientEvents: ['say'] }, 'RT004'],
    [{ serverEvents: ['server.toClientEvents'] }, 'RT004'],
  ])('refuses %j', (options, code) => {
    expect(() => draft({ name: 'Chat', ...options })).toThrow(new RegExp(`^${code} `));
  });
});

describe('readDomain', () => {
  it.each([
    ['{', 'RT006'],
    ['[]', 'RT006'],
    ['{"name":"Chat","colour":"red"}', 'RT006'],
    ['{"name":"Chat","serverEvents":{"a":{"payload":{"id":"strin"}}}}', 'RT003'],
    ['{"name":"Chat","serverEvents":{"a":{"payload":{"id":"string","id?":"string"}}}}', 'RT004'],
    ['{"name":"Chat","serverEvents":{"a":{"payload":{},"audience":{"to":"user"}}}}', 'RT007'],
    [
      '{"name":"Chat","serverEvents":{"a":{"payload":{"n":"number"},"audience":{"to":"user","field":"n"}}}}',
      'RT007',
    ],
  ])('refuses %s and names the file', (text, code) => {
    expect(() => readDomain('apps/x/chats.domain.json', text)).toThrow(
      new RegExp(`^${code} apps/x/chats.domain.json`),
    );
  });

  it('reads what it writes', () => {
    const domain = resolved('ActivityFeed', {
      serverEvents: ['created{id,kind:enum(a|b)[],at?:datetime}'],
      clientEvents: ['read{ids:uuid[]}'],
    });
    const text = writeDomainFile(null, toDomainFile(domain, 'schema.json'));
    expect(readDomain('x.json', text)).toEqual(domain);
  });
});

describe('writeDomainFile', () => {
  const text = `{
  // ours
  "name": "Chat", "app": "api-gateway",
  "serverEvents": {
    "chat.created": {
      "payload": { "id": "string" }
    }
  }
}
`;

  it('leaves everything but the change as it was', () => {
    const next = { ...JSON.parse(text.replace('// ours', '')), namespace: '/talk' };
    next.serverEvents['chat.closed'] = { payload: {} };
    const written = writeDomainFile(text, next);
    expect(written).toContain('// ours\n  "name": "Chat", "app": "api-gateway",');
    expect(written).toContain('"payload": { "id": "string" }');
    expect(readDomain('x', written).serverEvents.map(({ name }) => name)).toEqual([
      'chat.created',
      'chat.closed',
    ]);
    expect(readDomain('x', written).namespace).toBe('/talk');
  });

  it('writes nothing where nothing differs, whatever the order of the members', () => {
    const next = {
      app: 'api-gateway',
      name: 'Chat',
      serverEvents: { 'chat.created': { payload: { id: 'string' } } },
    };
    expect(writeDomainFile(text, next)).toBe(text);
  });
});

describe('checkDomains', () => {
  it('refuses a namespace or an event that two domains of an app claim', () => {
    const chat = resolved('Chat');
    expect(() => checkDomains([chat, resolved('Talk', { namespace: '/chats' })])).toThrow(
      /^RT005 The namespace "\/chats" of Talk is taken by Chat/,
    );
    expect(() =>
      checkDomains([chat, resolved('Talk', { serverEvents: ['chat.created'] })]),
    ).toThrow(/^RT004 /);
    expect(() =>
      checkDomains([chat, { ...resolved('Talk', { namespace: '/chats' }), app: 'b' }]),
    ).not.toThrow();
  });
});
