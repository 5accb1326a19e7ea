/*
 * Everything that reaches into private parts of Nest, Socket.IO, Engine.IO and
 * ws stands here: what it needs, and what happens where it is not there.
 */
import type { IncomingMessage } from 'node:http';
import type { Type } from '@nestjs/common';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { Adapter } from 'socket.io-adapter';
import type { Connection } from './connections/socket';

/** The part of the `ws` socket below a connection that is used here. */
export interface RawSocket {
  readonly bufferedAmount: number;
  readonly readyState: number;
  on(event: 'ping', listener: (payload: { data?: never }) => void): void;
  terminate(): void;
}

/** `readyState` of a websocket that has ended. */
const CLOSED = 3;

/** The `ws` socket of a connection; undefined where there is none. */
export function rawSocket({ transport }: Connection): RawSocket | undefined {
  const socket: unknown = Reflect.get(transport, 'socket');
  return typeof Reflect.get(Object(socket), 'terminate') === 'function'
    ? (socket as RawSocket)
    : undefined;
}

/** True once the peer has answered the closing frame. */
export function isGone(conn: Connection): boolean {
  return (
    conn.readyState === 'closed' &&
    (rawSocket(conn)?.readyState ?? CLOSED) === CLOSED
  );
}

/**
 * Bytes that wait in `ws`, and in front of it while it is not writable.
 * Without Engine.IO's buffer those in `ws` count.
 */
export function bufferedBytes(conn: Connection): number {
  const buffer: unknown = Reflect.get(conn, 'writeBuffer');
  const waiting: { data?: string | Buffer }[] = Array.isArray(buffer)
    ? buffer
    : [];
  return waiting.reduce(
    (sum, { data }) => sum + (data?.length ?? 0),
    rawSocket(conn)?.bufferedAmount ?? 0,
  );
}

/**
 * True for a request that names the id of a connection, by Engine.IO's reading
 * of its query or, without that, by ours.
 */
export function namesConnection(request: IncomingMessage): boolean {
  const query: unknown = Reflect.get(request, '_query');
  return typeof query === 'object' && query !== null
    ? 'sid' in query
    : new URL(request.url ?? '', 'http://localhost').searchParams.has('sid');
}

/** Encodes a packet once for all sockets of a broadcast. */
export type Encode = (
  packet: unknown,
  options: { wsPreEncodedFrame?: unknown },
) => unknown;

/**
 * Has `wrap` wrap the way in which an adapter encodes broadcasts. Where the
 * adapter has none, nothing changes.
 */
export function wrapEncoder(
  adapter: Adapter,
  wrap: (encode: Encode) => Encode,
): void {
  const encode: unknown = Reflect.get(adapter, '_encode');
  if (typeof encode === 'function') {
    Reflect.set(adapter, '_encode', wrap(encode.bind(adapter) as Encode));
  }
}

/** True for a class with `@WebSocketGateway`. */
export function isGateway(type: unknown): type is Type {
  return (
    typeof type === 'function' &&
    Reflect.hasMetadata('websockets:is_gateway', type)
  );
}

/** The names that the methods of a gateway handle. */
export function eventsOf(gateway: Type): string[] {
  return methodsOf(gateway)
    .map((method): unknown => Reflect.getMetadata('message', method))
    .filter((event) => typeof event === 'string');
}

/** Namespace of a gateway: `/notifications`. */
export function namespaceOf(gateway: Type): string {
  const options: unknown = Reflect.getMetadata(
    'websockets:gateway_options',
    gateway,
  );
  const { namespace = '/' } = Object(options) as { namespace?: string };
  return namespace.startsWith('/') ? namespace : `/${namespace}`;
}

/** What `@UseFilters` of a class names. */
export function filtersOf(type: Type): unknown[] {
  const filters: unknown = Reflect.getMetadata('__exceptionFilters__', type);
  return Array.isArray(filters) ? filters : [];
}

/** The methods of a class, also inherited ones. */
export function methodsOf({ prototype }: Type): object[] {
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name): object => prototype[name]);
}

/** The paths that a controller, or a method of one, is mounted at. */
export function pathsAt(target: object): string[] {
  return [Reflect.getMetadata('path', target) ?? []].flat();
}

/** HTTP method of a controller's method, as `RequestMethod` numbers them. */
export function requestMethodOf(method: object): unknown {
  return Reflect.getMetadata('method', method);
}

/**
 * Has the shutdown hooks of a module run before those of all others. Nest calls
 * them by a module's distance from the root, global modules last. Where a module
 * has no distance, the order stays as it is.
 *
 * @returns whether it is so
 */
export function endFirst(modules: ModulesContainer, type: Type): boolean {
  const found = [...modules.values()].filter(
    ({ metatype, distance }) =>
      metatype === type && typeof distance === 'number',
  );
  found.forEach((module) => (module.distance = -1));
  return found.length > 0;
}

/** What `@Module` of a class lists. */
export function moduleMetadata(
  module: Type,
  list: 'imports' | 'providers',
): unknown[] {
  const listed: unknown = Reflect.getMetadata(list, module);
  return Array.isArray(listed) ? listed : [];
}
