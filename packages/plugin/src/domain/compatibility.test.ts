import { describe, expect, it } from 'vitest';
import { compareContracts, readDomain } from './index.js';
import type { Contract, ContractChange } from './index.js';

type Events = Record<string, { payload: Record<string, string>; audience?: object }>;

interface File {
  readonly name?: string;
  readonly namespace?: string;
  readonly rooms?: string;
  readonly app?: string;
  readonly serverEvents?: Events;
  readonly clientEvents?: Events;
}

const PATH = 'apps/api/src/realtime/chats/chats.domain.json';

const contract = (file: File, path = PATH): Contract => ({
  path,
  domain: readDomain(path, JSON.stringify({ name: 'Chat', ...file })),
});
const server = (payload: Record<string, string>, audience?: object): File => ({
  serverEvents: { 'chat.posted': { payload, ...(audience && { audience }) } },
});
const client = (payload: Record<string, string>): File => ({
  clientEvents: { 'chat.say': { payload } },
});
const changes = (before: File, after: File): ContractChange[] =>
  compareContracts([contract(before)], [contract(after)]);
/** Each difference as `rule`, with `!` where it breaks somebody. */
const rules = (list: readonly ContractChange[]): string[] =>
  list.map(({ rule, breaking }) => `${rule}${breaking ? '!' : ''}`);

describe('a server event: publishers write it, clients read it', () => {
  it.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    ['nothing', { id: 'string' }, { id: 'string' }, []],
    ['another order', { id: 'string', n: 'number' }, { n: 'number', id: 'string' }, []],
    ['an optional field more', { id: 'string' }, { id: 'string', 'n?': 'number' }, ['field-added']],
    ['a required field more', { id: 'string' }, { id: 'string', n: 'number' }, ['field-added!']],
    ['a field less', { id: 'string', n: 'number' }, { id: 'string' }, ['field-removed!']],
    [
      'an optional field less',
      { id: 'string', 'n?': 'number' },
      { id: 'string' },
      ['field-removed!'],
    ],
    ['optional made required', { 'id?': 'string' }, { id: 'string' }, ['field-required!']],
    ['required made optional', { id: 'string' }, { 'id?': 'string' }, ['field-optional!']],
    ['a type narrowed', { id: 'string' }, { id: 'uuid' }, ['type-changed!']],
    ['a type widened', { id: 'integer' }, { id: 'number' }, ['type-changed!']],
    ['a list', { id: 'string' }, { id: 'string[]' }, ['type-changed!']],
    ['an enum value less', { m: 'enum(a|b)' }, { m: 'enum(a)' }, ['type-changed!']],
    ['an enum value more', { m: 'enum(a)' }, { m: 'enum(a|b)' }, ['type-changed!']],
    ['an enum in another order', { m: 'enum(a|b)' }, { m: 'enum(b|a)' }, []],
  ])('%s', (_, before, after, expected) => {
    expect(rules(changes(server(before), server(after)))).toEqual(expected);
  });

  it('says who breaks', () => {
    const [narrowed] = changes(server({ m: 'enum(a|b)' }), server({ m: 'enum(a)' }));
    const [widened] = changes(server({ m: 'enum(a)' }), server({ m: 'enum(a|b)' }));
    expect(narrowed?.message).toMatch(
      /was enum\(a\|b\), is enum\(a\): publishers [^,]+ dead-lettered\.$/,
    );
    expect(widened?.message).toMatch(/: clients that read what it was break\.$/);
  });

  it.each<[string, object, object, boolean]>([
    ['another addressee', { to: 'user', field: 'id' }, { to: 'user', field: 'other' }, true],
    ['all instead of one', { to: 'user', field: 'id' }, { to: 'tenant' }, true],
    [
      'all when nobody is named',
      { to: 'user', field: 'id' },
      { to: 'user', field: 'id', otherwise: 'tenant' },
      true,
    ],
    ['the default, spelled out', { to: 'tenant' }, { to: 'tenant' }, false],
  ])('audience: %s', (_, before, after, breaks) => {
    const payload = { id: 'string', other: 'string' };
    expect(rules(changes(server(payload, before), server(payload, after)))).toEqual(
      breaks ? ['audience-changed!'] : [],
    );
  });

  it('knows an audience that was a default', () => {
    const payload = { id: 'string', 'userId?': 'string' };
    const spelled = { to: 'user', field: 'userId', otherwise: 'tenant' };
    expect(changes(server(payload), server(payload, spelled))).toEqual([]);
  });
});

describe('a client event: clients write it, the server reads it', () => {
  it.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    ['an optional field more', { id: 'string' }, { id: 'string', 'n?': 'number' }, ['field-added']],
    ['a required field more', { id: 'string' }, { id: 'string', n: 'number' }, ['field-added!']],
    ['a field less', { id: 'string', n: 'number' }, { id: 'string' }, ['field-removed!']],
    ['optional made required', { 'id?': 'string' }, { id: 'string' }, ['field-required!']],
    ['required made optional', { id: 'string' }, { 'id?': 'string' }, ['field-optional']],
    ['uuid to string', { id: 'uuid' }, { id: 'string' }, ['type-changed']],
    ['string to uuid', { id: 'string' }, { id: 'uuid' }, ['type-changed!']],
    ['datetime to string', { id: 'datetime' }, { id: 'string' }, ['type-changed']],
    ['integer to number', { id: 'integer' }, { id: 'number' }, ['type-changed']],
    ['number to integer', { id: 'number' }, { id: 'integer' }, ['type-changed!']],
    ['a list to anything', { id: 'string[]' }, { id: 'json' }, ['type-changed']],
    ['anything to a list', { id: 'json' }, { id: 'json[]' }, ['type-changed!']],
    ['enum to string', { m: 'enum(a)' }, { m: 'string' }, ['type-changed']],
    ['string to enum', { m: 'string' }, { m: 'enum(a)' }, ['type-changed!']],
    ['an enum value more', { m: 'enum(a)' }, { m: 'enum(a|b)' }, ['type-changed']],
    ['an enum value less', { m: 'enum(a|b)' }, { m: 'enum(a)' }, ['type-changed!']],
    ['boolean to string', { m: 'boolean' }, { m: 'string' }, ['type-changed!']],
  ])('%s', (_, before, after, expected) => {
    expect(rules(changes(client(before), client(after)))).toEqual(expected);
  });
});

describe('events and domains', () => {
  const two = (first: string, second: string): File => ({
    serverEvents: {
      [first]: { payload: { id: 'string' } },
      [second]: { payload: { n: 'number' } },
    },
  });

  it('tells added, removed and renamed events', () => {
    expect(rules(changes(two('chat.a', 'chat.b'), two('chat.a', 'chat.c')))).toEqual([
      'event-renamed!',
    ]);
    expect(
      rules(changes(server({ id: 'string' }), { ...server({ id: 'string' }), ...client({}) })),
    ).toEqual(['event-added']);
    const [removed] = changes(client({ id: 'string' }), {});
    expect(removed).toMatchObject({
      rule: 'event-removed',
      breaking: true,
      event: 'chat.say',
      path: PATH,
    });
  });

  it('is not misled by a client event that becomes a server event of the same name', () => {
    const event = { 'chat.say': { payload: { id: 'string' } } };
    expect(rules(changes({ clientEvents: event }, { serverEvents: event }))).toEqual([
      'event-added',
      'event-removed!',
    ]);
  });

  it('counts the subscriptions that rooms of resources bring', () => {
    const events: File = server(
      { chatId: 'string', userId: 'string' },
      { to: 'user', field: 'userId' },
    );
    expect(rules(changes({ ...events, rooms: 'resource' }, events))).toEqual([
      'event-removed!',
      'event-removed!',
    ]);
  });

  it('tells a namespace that changed', () => {
    expect(rules(changes({}, { namespace: '/talks' }))).toEqual(['namespace-changed!']);
  });

  it('finds a domain again that was renamed, by its namespace', () => {
    const events = server({ id: 'string' });
    const now = contract(
      { ...events, name: 'Talk', namespace: '/chats' },
      'apps/api/src/realtime/talks/talks.domain.json',
    );
    expect(rules(compareContracts([contract(events)], [now]))).toEqual(['domain-renamed!']);
  });

  it('tells a domain that moved to another app', () => {
    const now = contract({ app: 'other' }, 'apps/other/src/realtime/chats/chats.domain.json');
    expect(rules(compareContracts([contract({ app: 'api' })], [now]))).toEqual(['app-changed!']);
  });

  it('tells domains that are new from those that are gone', () => {
    const other = contract(
      { ...server({ id: 'string' }), name: 'Order' },
      'apps/api/src/realtime/orders/orders.domain.json',
    );
    expect(rules(compareContracts([contract({})], [contract({}), other]))).toEqual([
      'domain-added',
    ]);
    expect(rules(compareContracts([contract({}), other], [contract({})]))).toEqual([
      'domain-removed!',
    ]);
  });

  it('says where an event went that another domain took over', () => {
    const other = (events: Events): Contract =>
      contract(
        { name: 'Order', serverEvents: events },
        'apps/api/src/realtime/orders/orders.domain.json',
      );
    const posted = server({ id: 'string' });
    const list = compareContracts(
      [contract(posted), other({})],
      [contract({}), other(posted.serverEvents ?? {})],
    );
    expect(rules(list)).toEqual(['event-removed!', 'event-added']);
    expect(list[0]?.message).toContain('belongs to Order now');
  });
});
