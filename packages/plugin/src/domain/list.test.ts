import { describe, expect, it } from 'vitest';
import { changeEvent } from './change-event.js';
import type { EventChange } from './change-event.js';
import { toDomainFile } from './domain-file.js';
import type { DomainFile } from './domain-file.js';
import { listOf } from './list.js';
import { draftDomain, readDraft } from './parse.js';
import type { DomainDraft } from './parse.js';

type Options = Omit<Parameters<typeof draftDomain>[0], 'name'>;

const draft = (options: Options, file: DomainFile | null = null): DomainDraft =>
  draftDomain({ name: 'Ticket', ...options }, file);

const fileOf = (domain: DomainDraft): DomainFile =>
  toDomainFile({ ...domain, app: 'api', web: 'web' }, 'x.json');

/** The file after `realtime-event`. */
const changed = (file: DomainFile, event: string, change: Partial<EventChange> = {}): DomainFile =>
  fileOf(readDraft('tickets.domain.json', changeEvent(file, { event, ...change }).file));

const listsOf = ({ serverEvents = {} }: DomainFile) =>
  Object.entries(serverEvents).map(([name, { list }]) => [name.replace('ticket.', ''), list]);

const OPENED = 'opened{id,title}';

/** Opened adds. */
const tickets = (list: readonly string[] = [], ...events: string[]): DomainFile =>
  fileOf(draft({ serverEvents: ['noted{text}', OPENED, 'read{id,userId}', ...events], list }));

/** The same, as a file that does not say what its events do. */
function silent(): DomainFile {
  const { serverEvents = {}, ...rest } = tickets();
  const events = Object.entries(serverEvents).map(([name, { payload }]) => [name, { payload }]);
  return { ...rest, serverEvents: Object.fromEntries(events) as DomainFile['serverEvents'] };
}

describe('by default', () => {
  it('the first event with an id adds, all others do nothing', () => {
    expect(listsOf(tickets())).toEqual([
      ['noted', undefined],
      ['opened', 'add'],
      ['read', 'none'],
    ]);
  });

  it.each(['created{id?}', 'created{id:number}', 'created{id:string[]}', 'created{key}'])(
    'there is no list by %s',
    (event) => {
      const { serverEvents } = draft({ serverEvents: [event] });
      expect(serverEvents.map(({ list }) => list)).toEqual(['none']);
      expect(listOf('', serverEvents)).toBeNull();
    },
  );

  it('a file that says it of no event, or of another, is read so', () => {
    const payload = { id: 'string' };
    const read = (serverEvents: DomainFile['serverEvents']) =>
      readDraft('x', { name: 'Ticket', serverEvents }).serverEvents.map(({ list }) => list);
    expect(read({ a: { payload }, b: { payload } })).toEqual(['add', 'none']);
    expect(read({ a: { payload }, b: { payload, list: 'add' } })).toEqual(['none', 'add']);
    expect(read({ a: { payload, list: 'none' }, b: { payload } })).toEqual(['none', 'none']);
  });
});

describe('an event that is', () => {
  it('added leaves the list as it is, also in a file that says nothing of it', () => {
    const file = silent();
    const next = changed(file, 'seen{id,at:datetime}');
    expect(listsOf(next)).toEqual([...listsOf(tickets()), ['seen', 'none']]);
    const again = draft({ serverEvents: ['seen{id}'] }, file).serverEvents;
    expect(again.map(({ list }) => list)).toEqual(['none', 'add', 'none', 'none']);
  });

  it('added with what it does, does it', () => {
    const next = changed(tickets(), 'closed{id}', { list: 'remove' });
    expect(listsOf(next).at(-1)).toEqual(['closed', 'remove']);
    expect(listsOf(changed(next, 'closed', { list: 'none' })).at(-1)).toEqual(['closed', 'none']);
    expect(listsOf(tickets(['read:update', 'ticket.noted:none']))).toContainEqual([
      'read',
      'update',
    ]);
  });

  it('renamed or changed does what it did', () => {
    const file = tickets(['read:update']);
    expect(listsOf(changed(file, 'opened', { rename: 'made' }))).toContainEqual(['made', 'add']);
    expect(listsOf(changed(file, 'read{id,at}'))).toContainEqual(['read', 'update']);
    const { serverEvents } = draft({ serverEvents: ['read{id,at}'] }, file);
    expect(serverEvents.at(-1)?.list).toBe('update');
  });

  it('given its first id becomes the list where there is none', () => {
    const file = fileOf(draft({ serverEvents: ['opened{title}'] }));
    expect(listsOf(changed(file, OPENED))).toEqual([['opened', 'add']]);
  });

  it('removed, that added, has none take its place', () => {
    for (const file of [tickets(), silent()]) {
      expect(listsOf(changed(file, 'opened', { remove: true }))).toEqual([
        ['noted', undefined],
        ['read', 'none'],
      ]);
    }
    expect(() => changed(tickets(['read:update']), 'opened', { remove: true })).toThrow(
      /^RT007 tickets\.domain\.json, serverEvents > ticket\.read > list: "update" has no list to act on, as no event adds to it\./,
    );
  });

  it('robbed of its id must say that it does nothing', () => {
    expect(() => changed(tickets(), 'opened{title}')).toThrow(
      /^RT007 .*needs a required field "id"/,
    );
    expect(listsOf(changed(tickets(), 'opened{title}', { list: 'none' }))[1]).toEqual([
      'opened',
      undefined,
    ]);
  });
});

describe('an item', () => {
  const itemOf = (...events: [event: string, list: string][]) => {
    const { serverEvents } = draft({
      serverEvents: events.map(([event]) => event),
      list: events.map(([event, list]) => `${event.replace(/\{.*/, '')}:${list}`),
    });
    const list = listOf('', serverEvents);
    return [list?.item.name, list?.gained.map(({ event, fields }) => [event.name, ...fields])];
  };

  it('has what the first event that adds has, and may have what others tell', () => {
    expect(
      itemOf(
        ['seen{id,at}', 'none'],
        ['opened{id,title,note?}', 'add'],
        ['imported{id:uuid,title:enum(a|b),source?,extra:json}', 'add'],
        ['read{id,title?,source:datetime,by?}', 'update'],
        ['closed{id,why}', 'remove'],
      ),
    ).toEqual([
      'ticket.opened',
      [
        ['ticket.imported', 'source', 'extra'],
        ['ticket.read', 'by'],
      ],
    ]);
  });

  it.each([
    [
      'imported{id}',
      'add',
      /imported > list: it cannot "add", .* "title", which .* ticket\.opened/,
    ],
    ['imported{id,title?}', 'add', /it cannot "add"/],
    ['imported{id,title:number}', 'add', /"title" is number, but in an item it is string/],
    ['renamed{id,title:string[]}', 'update', /"title" is string\[\], but in an item it is string/],
    ['renamed{id,title:json}', 'update', /"title" is json/],
    ['renamed{id,mood:string}', 'update', /"mood" is string, but in an item it is enum\(a\|b\)/],
    ['renamed{id,mood:enum(a|c)}', 'update', /"mood" is enum\(a\|c\)/],
    ['renamed{title}', 'update', /"update" needs a required field "id"/],
    ['closed{id?}', 'remove', /"remove" needs a required field "id"/],
    ['closed{id:integer}', 'remove', /"remove" needs/],
  ])('refuses %s to %s', (event, list, message) => {
    const serverEvents = ['opened{id,title,mood?:enum(a|b)}', event];
    const options = { serverEvents, list: ['opened:add', `${event.replace(/\{.*/, '')}:${list}`] };
    expect(() => draft(options)).toThrow(message);
    expect(() => draft(options)).toThrow(/^RT007 the domain Ticket, serverEvents > ticket\./);
  });
});

describe('--list', () => {
  it.each([
    ['opened', 'RT007 --list: "opened" is no event with what it does'],
    ['opened:adds', 'RT007'],
    ['opened:add:x', 'RT007'],
    ['nope:add', 'RT051 --list: Ticket has no server event "ticket.nope". It has: ticket.opened.'],
    ['a b:add', 'RT002'],
  ])('refuses %s', (list, message) => {
    expect(() => draft({ serverEvents: [OPENED], list: [list] })).toThrow(message);
  });

  it('takes several in one text, and an empty answer', () => {
    const { serverEvents } = draft({
      serverEvents: [OPENED, 'closed{id}', 'read{id}'],
      list: ['closed:remove, opened:add', 'read:update'],
    });
    expect(serverEvents.map(({ list }) => list)).toEqual(['add', 'remove', 'update']);
    expect(draft({ serverEvents: [OPENED], list: [''] }).serverEvents[0]?.list).toBe('add');
  });

  it.each([{ direction: 'client' as const }, { remove: true }])(
    'does not go with %j',
    (options) => {
      const event = 'remove' in options ? 'opened' : 'send{id}';
      expect(() => changed(tickets(), event, { ...options, list: 'none' })).toThrow(/^RT052 /);
    },
  );
});
