/** What a socket joins on connecting: `tenant` its tenant and its own user. */
export type JoinedRooms = 'tenant' | 'user';

/** JoinedRooms by namespace; a namespace that is not listed joins `user`. */
export const REALTIME_ROOMS: unique symbol = Symbol('REALTIME_ROOMS');

// Lone surrogates would all become U+FFFD on their way to other replicas.
const ID = /^[^\p{Cc}\p{Cs}]{1,256}$/u;

/** True for 1 to 256 characters without control characters: `auth0|5f7c`. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

/** Every socket of a tenant. */
export function tenantRoom(tenantId: string): string {
  return `t:${encode(tenantId)}`;
}

/** Every socket of one user in one tenant. */
export function userRoom(tenantId: string, userId: string): string {
  return `${tenantRoom(tenantId)}:u:${encode(userId)}`;
}

// Encoded ids hold no colon: neither two targets nor a socket's own id collide.
function encode(id: string): string {
  if (!isId(id)) {
    throw new TypeError('A room needs an id of 1 to 256 characters');
  }
  return encodeURIComponent(id);
}
