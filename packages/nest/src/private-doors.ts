/*
 * Every use of a private part of Nest, Socket.IO, Engine.IO and ws stands here,
 * with a check that the part is there and a fallback where it is not.
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
  on(
    event: 'ping' | 'pong',
    listener: (payload: { data?: never }) => void,
  ): void;
  on(event: 'error', listener: (error: { code?: unknown }) => void): void;
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

/**
 * Bounds the frames that one message may come in. Each keeps what was read with
 * it: a message of single bytes, with pongs in between, would keep megabytes.
 *
 * @returns false where the receiver of `ws` is not found: its own bound stays
 */
export function boundFragments(conn: Connection, max: number): boolean {
  const receiver: unknown = Reflect.get(Object(rawSocket(conn)), '_receiver');
  const isFound =
    typeof Reflect.get(Object(receiver), '_maxFragments') === 'number';
  return isFound && Reflect.set(Object(receiver), '_maxFragments', max);
}

/**
 * Code of an error for which `ws` ends a connection: `TOO_LARGE`, or the part
 * that tells: `INVALID_UTF8`.
 */
export function codeOfInvalid({ code }: { code?: unknown }): string {
  return code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    ? 'TOO_LARGE'
    : String(code ?? 'INVALID').replace('WS_ERR_', '');
}

/** True for a connection whose peer has answered the closing frame. */
export function isGone(conn: Connection): boolean {
  return (
    conn.readyState === 'closed' &&
    (rawSocket(conn)?.readyState ?? CLOSED) === CLOSED
  );
}

/**
 * Bytes that wait in `ws`, and in front of it while it is not writable. Those
 * in
 * `ws` alone count where Engine.IO's buffer is not found.
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
 * Replaces the encoder of an adapter's broadcasts by what `wrap` makes of it.
 * Nothing changes where the adapter has none.
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

/** Names of the events that the methods of a gateway handle. */
export function eventsOf(gateway: Type): string[] {
  return methodsOf(gateway)
    .map((method): unknown => Reflect.getMetadata('message', method))
    .filter((event) => typeof event === 'string');
}

/** Namespace of a gateway: `/notifications`. */
export function namespaceOf(gateway: Type): string {
  const { namespace } = gatewayOptionsOf(gateway);
  const name = typeof namespace === 'string' ? namespace : '/';
  return name.startsWith('/') ? name : `/${name}`;
}

/** What `@WebSocketGateway` of a class was given, its port among it. */
export function gatewayOptionsOf(gateway: Type): Record<string, unknown> {
  const options: unknown = Reflect.getMetadata(
    'websockets:gateway_options',
    gateway,
  );
  const port: unknown = Reflect.getMetadata('port', gateway);
  return { ...Object(options), ...(Number(port) > 0 && { port }) };
}

/** Mark in the options of a gateway; Nest gives them to the adapter. */
const MARK: unique symbol = Symbol.for('@nx-realtime/nest:kept');

/**
 * Lays a mark, or another path, over the options of a gateway. Without the mark
 * it is ours: what is not found is protected.
 */
export function markGateway(
  gateway: Type,
  { mark, path }: { readonly mark?: object; readonly path?: string },
): void {
  const options: object = Object(
    Reflect.getMetadata('websockets:gateway_options', gateway),
  );
  Reflect.defineMetadata(
    'websockets:gateway_options',
    { ...options, ...(path !== undefined && { path }), [MARK]: mark },
    gateway,
  );
}

/** True for options of a gateway that have this mark. */
export function isMarked(options: unknown, mark: object): boolean {
  return Reflect.get(Object(options), MARK) === mark;
}

/** Filters that `@UseFilters` of a class names. */
export function filtersOf(type: Type): unknown[] {
  const filters: unknown = Reflect.getMetadata('__exceptionFilters__', type);
  return Array.isArray(filters) ? filters : [];
}

/** Methods of a class, also inherited ones. */
export function methodsOf({ prototype }: Type): object[] {
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name): object => prototype[name]);
}

/** Paths that a controller, or a method of one, is mounted at. */
export function pathsAt(target: object): string[] {
  return [Reflect.getMetadata('path', target) ?? []].flat();
}

/** HTTP method of a controller's method, as `RequestMethod` numbers them. */
export function requestMethodOf(method: object): unknown {
  return Reflect.getMetadata('method', method);
}

/**
 * Makes the shutdown hooks of a module run before those of all others. Nest
 * calls them by a module's distance from the root, global modules last. The
 * order stays as it is where a module has no distance.
 *
 * @returns false where the order stays as it is
 */
export function endFirst(modules: ModulesContainer, type: Type): boolean {
  const found = [...modules.values()].filter(
    ({ metatype, distance }) =>
      metatype === type && typeof distance === 'number',
  );
  found.forEach((module) => (module.distance = -1));
  return found.length > 0;
}

/** List that `@Module` of a class has. */
export function moduleMetadata(
  module: Type,
  list: 'imports' | 'providers',
): unknown[] {
  const listed: unknown = Reflect.getMetadata(list, module);
  return Array.isArray(listed) ? listed : [];
}
