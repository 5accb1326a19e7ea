import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatType, parseEvents, unquoted } from './grammar.js';
import { SCALARS } from './types.js';
import type { Field } from './types.js';

const parse = (...texts: string[]) => parseEvents('--serverEvents', texts, 'notification');

describe('parseEvents', () => {
  it('prefixes bare names and types fields as strings by default', () => {
    expect(parse('created{id,userId?}')).toEqual([
      {
        name: 'notification.created',
        fields: [
          { name: 'id', optional: false, base: 'string', array: false },
          { name: 'userId', optional: true, base: 'string', array: false },
        ],
      },
    ]);
  });

  it('keeps dotted names and reads every type', () => {
    const [event] = parse(
      'order.shipped{ a: integer, b?: enum(x|y-1)[], c: json, d: datetime, e: uuid[] }',
    );
    expect(event?.name).toBe('order.shipped');
    expect(event?.fields.map((field) => `${field.name}:${formatType(field)}`)).toEqual([
      'a:integer',
      'b:enum(x|y-1)[]',
      'c:json',
      'd:datetime',
      'e:uuid[]',
    ]);
  });

  it('joins what Nx split at commas', () => {
    expect(parse('created{id', 'message}', 'removed')).toEqual(
      parse('created{id,message},removed'),
    );
  });

  it('reads an event without payload, with or without braces', () => {
    expect(parse('cleared')).toEqual(parse('cleared{}'));
  });

  it.each([
    ['created{id message}', 'RT002', 'expected "}" or "," after a field', 11],
    ['created{id', 'RT002', 'expected "}"', 10],
    ['created{,}', 'RT002', 'expected a field name', 8],
    ['cre-ated', 'RT002', 'cre.ated or creAted', 3],
    ['{id}', 'RT002', 'expected an event name', 0],
    ['created{id:strin}', 'RT003', 'there is no type "strin"', 11],
    ['created{id:String}', 'RT003', 'there is no type "String"', 11],
    ['created{a:enum()}', 'RT002', 'expected an enum value', 15],
    ['created{a:enum(x|x)}', 'RT004', '"x" is given twice', 17],
    ['created{a:string[}', 'RT002', 'expected "]"', 17],
    ['created{id,id?}', 'RT004', '"id" is given twice', 11],
    ['created,created{id}', 'RT004', '"notification.created" is given twice', 8],
    ['realtime.refresh', 'RT002', 'belongs to system events', 0],
    ['created{__proto__}', 'RT002', 'cannot be a field', 8],
    ['created{1a}', 'RT002', 'expected a field name', 8],
    ['.created', 'RT002', 'expected an event name', 0],
    ['created{id}}', 'RT002', 'expected ","', 11],
    ['posted(id,text)', 'RT002', 'fields stand in braces: posted{id,text}', 6],
    ['message.posted[id]', 'RT002', 'in braces: message.posted{id}', 14],
    ['message:posted', 'RT002', 'message.posted or messagePosted', 7],
    ['message-posted{id}', 'RT002', 'message.posted or messagePosted', 7],
    ['message posted', 'RT002', 'message.posted or messagePosted', 8],
    ['Уведомление', 'RT002', 'an event name in letters from a to z', 0],
    ['posted{имя}', 'RT002', 'a field name in letters from a to z', 7],
    ['créé', 'RT002', 'in letters from a to z', 2],
  ])('refuses %s', (text, code, message, position) => {
    let error: unknown;
    try {
      parse(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(String((error as Error).message)).toContain(`${code} --serverEvents: `);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message.split('\n').slice(1)).toEqual([
      `  ${text}`,
      `  ${' '.repeat(position)}^`,
    ]);
  });

  it('reads what it writes', () => {
    const field: fc.Arbitrary<Field> = fc.record({
      name: fc.stringMatching(/^[a-z][A-Za-z0-9]{0,8}$/),
      optional: fc.boolean(),
      array: fc.boolean(),
      base: fc.oneof(
        fc.constantFrom(...SCALARS),
        fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_.-]{1,6}$/), { minLength: 1, maxLength: 4 }),
      ),
    });
    fc.assert(
      fc.property(fc.uniqueArray(field, { selector: ({ name }) => name }), (fields) => {
        const text = fields
          .map((one) => `${one.name}${one.optional ? '?' : ''}:${formatType(one)}`)
          .join(' , ');
        expect(parse(`created { ${text} }`)).toEqual([{ name: 'notification.created', fields }]);
      }),
    );
  });

  it('answers any text with events or an RT error', () => {
    const piece = fc.constantFrom(...'abZ09{}(),.:?[]| _$-'.split(''), 'enum', 'string', 'é', '\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          parse(pieces.join(''));
        } catch (error) {
          expect((error as Error).message).toMatch(/^RT00[234] /);
        }
      }),
    );
  });
});

describe('events that a shell has made of one without quotes', () => {
  it.each([
    [['postedid', 'postedtext'], 'posted{id,text}'],
    [['message.postedid', 'message.posteduserId?'], 'message.posted{id,userId?}'],
    [['posted{id', 'text}'], null],
    [['posted'], null],
    [['posted', 'postedAgain'], null],
    [['opened', 'closed'], null],
    [['message.edited', 'message.erased'], null],
  ])('of %j make %s', (texts, meant) => {
    expect(unquoted(texts)).toBe(meant);
  });

  it('are named where they are no events either', () => {
    expect(() => parseEvents('--serverEvents', ['createdid', 'createduserId?'], 'chat')).toThrow(
      /\^\n.*not quoted: 'created\{id,userId\?\}'$/,
    );
  });
});
