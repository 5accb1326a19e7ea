import { describe, expect, it } from 'vitest';
import { config } from 'zod/mini';
import de from 'zod/v4/locales/de.js';
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

  it.each([
    ['resource', undefined, { to: 'resource', field: 'chatId' }],
    ['resource', 'posted{chatId:uuid,userId}', { to: 'resource', field: 'chatId' }],
    ['resource', 'posted{resourceId,userId?}', { to: 'resource', field: 'resourceId' }],
    ['resource', 'posted{id,userId?}', { to: 'user', field: 'userId' }],
    ['custom', undefined, { to: 'custom', field: 'room' }],
    ['custom', 'posted{room,userId}', { to: 'custom', field: 'room' }],
    ['custom', 'posted{room?,userId}', { to: 'user', field: 'userId' }],
    ['tenant', 'posted{chatId,room}', { to: 'tenant' }],
  ])('with rooms %s sends %s to %j', (rooms, event, audience) => {
    const serverEvents = event === undefined ? {} : { serverEvents: [event] };
    const { serverEvents: events } = draft({ name: 'Chat', rooms, ...serverEvents });
    expect(events.map((found) => found.audience)).toEqual([audience]);
  });

  it('has no client events of the kernel where there is nothing to subscribe to', () => {
    const options = { name: 'Chat', clientEvents: ['subscribe{id}'] };
    expect(draft(options).clientEvents.map(({ name }) => name)).toEqual(['chat.subscribe']);
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
    [{ rooms: 'resource', serverEvents: ['created{id}'] }, 'RT007'],
    [{ rooms: 'resource', serverEvents: ['created{chatId?}'] }, 'RT007'],
    [{ rooms: 'resource', serverEvents: ['created{chatId:number}'] }, 'RT007'],
    [{ rooms: 'resource', clientEvents: ['subscribe{id}'] }, 'RT004'],
    [{ rooms: 'resource', serverEvents: ['unsubscribe{chatId}'] }, 'RT004'],
    [{ rooms: 'custom', serverEvents: ['created{id,room:string[]}'] }, 'RT007'],
  ])('refuses %j', (options, code) => {
    expect(() => draft({ name: 'Chat', ...options })).toThrow(new RegExp(`^${code} `));
  });
});

describe('readDomain', () => {
  it('speaks English where another plugin of the same process has told zod otherwise', () => {
    const { localeError } = config();
    config(de());
    try {
      expect(() => readDomain('x', '{"name":1}')).toThrow(
        /name: Invalid input: expected string, received number/,
      );
    } finally {
      config({ localeError });
    }
  });

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

  const withAudience = (rooms: string, audience: object) =>
    JSON.stringify({
      name: 'Chat',
      rooms,
      serverEvents: { a: { payload: { id: 'string', 'ownerId?': 'uuid', n: 'number' }, audience } },
    });

  it.each([
    ['tenant', { to: 'resource', field: 'id' }, 'Use tenant or user'],
    ['tenant', { to: 'custom', field: 'id' }, 'Use tenant or user'],
    ['user', { to: 'resource', field: 'id' }, 'Use user'],
    ['user', { to: 'tenant' }, 'Use user'],
    ['resource', { to: 'tenant' }, 'Use resource or user'],
    ['resource', { to: 'custom', field: 'id' }, 'Use resource or user'],
    ['resource', { to: 'resource' }, 'the field with the resource id'],
    ['resource', { to: 'resource', field: 'nope' }, 'no field "nope"'],
    ['resource', { to: 'resource', field: 'n' }, 'must be a string or uuid'],
    ['resource', { to: 'resource', field: 'ownerId', otherwise: 'tenant' }, 'reaches nobody'],
    ['custom', { to: 'resource', field: 'id' }, 'Use custom or user'],
    ['custom', { to: 'custom' }, "the field with the room's key"],
    ['custom', { to: 'custom', field: 'id', otherwise: 'tenant' }, 'reaches nobody'],
  ])('refuses with rooms %s the audience %j', (rooms, audience, why) => {
    const read = () => readDomain('chats.domain.json', withAudience(rooms, audience));
    expect(read).toThrow(/^RT007 chats.domain.json, serverEvents > a > audience: /);
    expect(read).toThrow(why);
  });

  it.each([
    ['resource', { to: 'resource', field: 'id' }],
    ['resource', { to: 'resource', field: 'ownerId' }],
    ['resource', { to: 'user', field: 'ownerId' }],
    ['custom', { to: 'custom', field: 'id' }],
    ['custom', { to: 'user', field: 'ownerId' }],
  ])('takes with rooms %s the audience %j', (rooms, audience) => {
    const [event] = readDomain('x', withAudience(rooms, audience)).serverEvents;
    expect(event?.audience).toEqual(audience);
  });

  it('reads what it writes', () => {
    const domain = resolved('ActivityFeed', {
      requestContext: '@acme/context',
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
  const check = (...domains: readonly Domain[]): void =>
    checkDomains(domains.map((domain, index) => ({ path: `${index}.domain.json`, domain })));

  it.each([
    ['app', {}],
    ['web', { app: 'b', contracts: 'b' }],
    ['contracts', { app: 'b', web: 'b' }],
    ['app and web', { contracts: 'b' }],
  ])('refuses two files of one name that share the %s', (_name, other) => {
    const chat = resolved('Chat');
    expect(() => check(chat, { ...chat, namespace: '/b', ...other })).toThrow(
      /^RT054 Two files state the domain Chat,[^]*\n {2}0\.domain\.json\n {2}1\.domain\.json\n/,
    );
  });

  it('lets two of one name be that share nothing', () => {
    const chat = resolved('Chat');
    expect(() => check(chat, { ...chat, app: 'b', web: 'b', contracts: 'b' })).not.toThrow();
    expect(() =>
      check({ ...chat, web: null }, { ...chat, app: 'b', web: null, contracts: 'b' }),
    ).not.toThrow();
  });

  it('refuses a namespace or an event that two domains of an app claim', () => {
    const chat = resolved('Chat');
    expect(() => check(chat, resolved('Talk', { namespace: '/chats' }))).toThrow(
      /^RT005 The namespace "\/chats" of Talk is taken by Chat/,
    );
    expect(() => check(chat, resolved('Talk', { serverEvents: ['chat.created'] }))).toThrow(
      /^RT004 /,
    );
    expect(() =>
      check(chat, { ...resolved('Talk', { namespace: '/chats' }), app: 'b' }),
    ).not.toThrow();
  });

  it('refuses two request contexts in one app', () => {
    const [one, other] = ['@acme/a', '@acme/b'].map((requestContext, index) =>
      resolved(`Chat${index}`, { requestContext }),
    ) as [Domain, Domain];
    expect(() => check(one, other)).toThrow(/^RT007 requestContext: Chat1 names/);
    expect(() => check(one, { ...other, app: 'b' })).not.toThrow();
    expect(() => check(one, resolved('Talk'))).not.toThrow();
  });
});
