import { isId, tenantRoom, userRoom } from '../src/rooms/rooms';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const id = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 15, unit: 'binary' }),
    fc.stringMatching(/^[tu:%|#/@. ]{1,6}$/),
    fc.constantFrom('auth0|5f7c', 'a:b@c.d', 'a:u:b', '%3A', ':', '__proto__', 'ü', '😀'),
  )
  .filter((value) => isId(value));

describe('rooms', () => {
  it('share no name between two targets', () => {
    fc.assert(
      fc.property(id, id, id, id, (tenant, user, otherTenant, otherUser) => {
        const same = tenant === otherTenant && user === otherUser;
        expect(userRoom(tenant, user) === userRoom(otherTenant, otherUser)).toBe(same);
        expect(tenantRoom(tenant) === tenantRoom(otherTenant)).toBe(tenant === otherTenant);
        expect(tenantRoom(tenant)).not.toBe(userRoom(otherTenant, otherUser));
      }),
      { numRuns: 2_000 },
    );
  });

  it('cannot be reached by an id that spells another room', () => {
    fc.assert(
      fc.property(id, id, id, (a, b, c) => {
        expect(tenantRoom(`${a}:u:${b}`)).not.toBe(userRoom(a, b));
        expect(userRoom(`${a}:u:${b}`, c)).not.toBe(userRoom(a, `${b}:u:${c}`));
        expect(tenantRoom(encodeURIComponent(`${a}:`))).not.toBe(tenantRoom(`${a}:`));
      }),
    );
  });

  it('never equal the id of a socket, which is a room too', () => {
    fc.assert(
      fc.property(id, id, (tenant, user) => {
        expect(tenantRoom(tenant)).not.toMatch(/^[\w-]*$/);
        expect(userRoom(tenant, user)).not.toMatch(/^[\w-]*$/);
      }),
    );
  });

  it.each([['auth0|5f7c'], ['a:b@c.d'], ['x'.repeat(256)], ['日本'], ['😀']])(
    'accept %s',
    (value) => {
      expect(isId(value)).toBe(true);
    },
  );

  it.each([
    [''],
    [undefined],
    [null],
    [7],
    [['a']],
    [{}],
    ['a\nb'],
    ['a\u0000'],
    ['a\u0085'],
    ['\ud800'],
    ['x'.repeat(257)],
  ])('refuse %j', (value) => {
    expect(isId(value)).toBe(false);
    expect(() => tenantRoom(value as string)).toThrow(TypeError);
    expect(() => userRoom('t1', value as string)).toThrow(TypeError);
  });
});
