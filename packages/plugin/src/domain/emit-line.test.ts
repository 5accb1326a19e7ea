import { describe, expect, it } from 'vitest';
import { emitLine } from './emit-line.js';
import { draftDomain } from './parse.js';

const lineOf = (event: string, rooms = 'tenant'): string =>
  emitLine(draftDomain({ name: 'Chat', rooms, serverEvents: [event] }, null).serverEvents[0]!);

describe('the command that publishes an event', () => {
  it.each([
    ['posted{id,text,note?}', 'tenant', 'nx-realtime emit chat.posted --id=1 --text=hi'],
    ['posted', 'tenant', 'nx-realtime emit chat.posted'],
    ['posted{userId?}', 'user', 'nx-realtime emit chat.posted --userId=u1'],
    ['posted{app,at:datetime}', 'tenant', '--field=app=hi --at=2030-01-31T12:00:00Z'],
    ['posted{kind:enum(a|b),on:boolean,n:integer[]}', 'tenant', '--kind=a --on=true --n=1'],
    ['posted{any:json}', 'tenant', "'--any={}'"],
  ])('of %s with rooms %s holds %s', (event, rooms, line) => {
    expect(lineOf(event, rooms)).toContain(line);
  });
});
