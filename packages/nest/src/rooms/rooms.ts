import type { VerifiedToken } from '../handshake/identity';

/**
 * Names the rooms that a client joins, each a room of its tenant.
 *
 * @example
 * ```ts
 * const regionRooms: RoomsFunction = ({ claims }) => [String(claims['region'])];
 * ```
 */
export type RoomsFunction = (token: VerifiedToken) => readonly string[];

/** Rooms that a socket joins on connecting, beside the room of its own user. */
export type JoinedRooms = 'tenant' | 'user' | RoomsFunction;

/**
 * Injection token of JoinedRooms by namespace; a namespace that is not listed
 * joins `user`.
 */
export const REALTIME_ROOMS: unique symbol = Symbol.for(
  '@nx-realtime/nest:rooms',
);

// Lone surrogates would all become U+FFFD on their way to other replicas.
const ID = /^[^\p{Cc}\p{Cs}]{1,256}$/u;

/**
 * Tells ids from other values: an id has 1 to 256 characters, and no control
 * character.
 *
 * @example
 * ```ts
 * isId('auth0|5f7c'); // true
 * isId(''); // false
 * ```
 */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

/** Room of every socket of a tenant. */
export function tenantRoom(tenantId: string): string {
  return `t:${encode(tenantId)}`;
}

/** Room of every socket of one user in one tenant. */
export function userRoom(tenantId: string, userId: string): string {
  return `${tenantRoom(tenantId)}:u:${encode(userId)}`;
}

/** Room of the subscribers of one resource, in the namespace of its domain. */
export function resourceRoom(tenantId: string, resourceId: string): string {
  return `${tenantRoom(tenantId)}:r:${encode(resourceId)}`;
}

/** Room that a RoomsFunction names by its key. */
export function customRoom(tenantId: string, key: string): string {
  return `${tenantRoom(tenantId)}:c:${encode(key)}`;
}

/** Rooms that a socket is in from the start. */
export function joinedRooms(
  joined: JoinedRooms | undefined,
  token: VerifiedToken,
): string[] {
  const { tenantId, userId } = token.identity;
  const user = userRoom(tenantId, userId);
  if (joined === 'tenant') {
    return [user, tenantRoom(tenantId)];
  }
  const keys = typeof joined === 'function' ? joined(token) : [];
  return [user].concat(keys.map((key) => customRoom(tenantId, key)));
}

// Encoded ids hold no colon: neither two targets nor a socket's own id collide.
function encode(id: string): string {
  if (!isId(id)) {
    throw new TypeError('A room needs an id of 1 to 256 characters');
  }
  return encodeURIComponent(id);
}
