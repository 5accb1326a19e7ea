import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { RealtimeIdentity } from '../handshake/identity';

interface SocketData {
  identity: RealtimeIdentity;
}

/** Socket.IO's server; its sockets know their user. */
export type RealtimeServer = Server<
  DefaultEventsMap,
  DefaultEventsMap,
  DefaultEventsMap,
  SocketData
>;

/**
 * Socket.IO's socket: `data.identity` is its user.
 *
 * @example
 * ```ts
 * @SubscribeMessage('notification.markRead')
 * markRead(@ConnectedSocket() { data }: RealtimeSocket) {
 *   return this.service.markRead(data.identity);
 * }
 * ```
 */
export type RealtimeSocket = Socket<
  DefaultEventsMap,
  DefaultEventsMap,
  DefaultEventsMap,
  SocketData
>;

/** Connection of Engine.IO: it carries the sockets of one client. */
export type Connection = RealtimeSocket['conn'];

/** A listener for all sockets: one for each would be kept as long as it is. */
export function sharedListener<A extends unknown[]>(
  listen: (socket: RealtimeSocket, ...args: A) => void,
): (this: RealtimeSocket, ...args: A) => void {
  return function (...args) {
    listen(this, ...args);
  };
}

/** Sockets that are let in, by the app's own middleware too. */
export function connectedOf(
  sockets: readonly RealtimeSocket[],
): RealtimeSocket[] {
  return sockets.filter(({ connected }) => connected);
}
