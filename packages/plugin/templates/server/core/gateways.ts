import type { INestApplication, Type } from '@nestjs/common';
import {
  ApplicationConfig,
  MetadataScanner,
  ModulesContainer,
} from '@nestjs/core';
import { WsAuthGuard } from '../guards/ws-auth.guard';
import { AckExceptionFilter, ContractPipe } from './client-event';
import type { RealtimeSocket } from './session';

/** A gateway, by what its decorators say. */
export interface Gateway {
  readonly type: Type;
  readonly instance: object;
  readonly namespace: string;
  /** Whether its events are acknowledged in our shape: by the filter. */
  readonly acknowledges: boolean;
}

/** Handles a client event: what it returns or throws is acknowledged. */
export type DirectHandler = (socket: RealtimeSocket, body: unknown) => unknown;

/** As Nest notes what the decorator of a handler's parameter says. */
interface Parameter {
  readonly index: number;
  readonly pipes: readonly unknown[];
}

/** Where Nest notes what runs around a handler. */
const ENHANCERS = [
  '__guards__',
  '__interceptors__',
  '__pipes__',
  '__exceptionFilters__',
];
/** Nest's numbers of `@ConnectedSocket()` and `@MessageBody()`. */
const SOCKET = '0';
const BODY = '3';

export function gatewaysOf(app: INestApplication): Gateway[] {
  return [...app.get(ModulesContainer).values()]
    .flatMap(({ providers }) => [...providers.values()])
    .flatMap(({ instance, metatype: type }) => {
      if (!isGateway(type) || !(instance instanceof type)) {
        return [];
      }
      const namespace = namespaceOf(type);
      const acknowledges = enhancersOf(type).includes(AckExceptionFilter);
      return [{ type, instance, namespace, acknowledges }];
    });
}

/**
 * The handlers, by namespace and event, around which Nest would run nothing but
 * our guard, filter and pipe: called directly, an event costs a third less.
 * Those with more around them are not among them: Nest calls them.
 */
export function directHandlers(
  app: INestApplication,
  gateways: readonly Gateway[],
): ReadonlyMap<string, DirectHandler> {
  const handlers = new Map<string, DirectHandler>();
  const seen = new Set<string>();
  for (const gateway of hasGlobals(app) ? [] : gateways) {
    const { type, namespace } = gateway;
    const methods = new MetadataScanner().getAllMethodNames(type.prototype);
    for (const name of methods) {
      const method: object = type.prototype[name];
      const event: unknown = Reflect.getMetadata('message', method);
      const key = `${namespace} ${String(event)}`;
      const handler = directHandler(gateway, name, app.get(WsAuthGuard));
      handlers.delete(key);
      // Of two that handle it, Nest calls both.
      if (handler && !seen.has(key)) {
        handlers.set(key, handler);
      }
      seen.add(key);
    }
  }
  return handlers;
}

function directHandler(
  { type, instance }: Gateway,
  name: string,
  guard: WsAuthGuard,
): DirectHandler | undefined {
  const method: (...args: unknown[]) => unknown = type.prototype[name];
  const around = enhancersOf(type);
  const isOurs =
    around.length === 2 &&
    around.includes(WsAuthGuard) &&
    around.includes(AckExceptionFilter) &&
    enhancersOf(method).length === 0;
  const readers = isOurs ? argumentReaders(type, name) : [];
  return readers.length === 0
    ? undefined
    : (socket, body) => {
        guard.requireValid(socket);
        return method.apply(
          instance,
          readers.map((read) => read(socket, body)),
        );
      };
}

/** None where a parameter is not the socket, or the body that a contract checks. */
function argumentReaders(type: Type, name: string): DirectHandler[] {
  const noted: unknown = Reflect.getMetadata('__routeArguments__', type, name);
  const parameters = Object.entries(Object(noted) as Record<string, Parameter>);
  const readers: DirectHandler[] = [];
  for (const [key, { index, pipes, ...more }] of parameters) {
    const [kind] = key.split(':');
    const [pipe] = pipes;
    if (Object.values(more).some((value) => value !== undefined)) {
      return [];
    }
    if (kind === SOCKET && pipes.length === 0) {
      readers[index] = (socket) => socket;
    } else if (kind === BODY && pipes.length === 1 && isContractPipe(pipe)) {
      readers[index] = (_socket, body) => pipe.transform(body);
    } else {
      return [];
    }
  }
  // A parameter without a decorator is Nest's to fill.
  return readers.length === parameters.length ? readers : [];
}

/** Not one of a class of yours: Nest would tell it more. */
function isContractPipe(pipe: unknown): pipe is ContractPipe<unknown> {
  return Object(pipe).constructor === ContractPipe;
}

/** Whether the app has what Nest 12 would run around every handler. */
function hasGlobals(app: INestApplication): boolean {
  const config: unknown = Reflect.get(app, 'config');
  return !(
    config instanceof ApplicationConfig &&
    [
      config.getGlobalGuards(),
      config.getGlobalRequestGuards(),
      config.getGlobalInterceptors(),
      config.getGlobalRequestInterceptors(),
      config.getGlobalPipes(),
      config.getGlobalRequestPipes(),
      config.getGlobalFilters(),
      config.getGlobalRequestFilters(),
    ].every((list) => list.length === 0)
  );
}

function enhancersOf(target: object): unknown[] {
  return ENHANCERS.flatMap(
    (key) => (Reflect.getMetadata(key, target) as unknown[] | undefined) ?? [],
  );
}

function isGateway(type: unknown): type is Type {
  return (
    typeof type === 'function' &&
    Reflect.hasMetadata('websockets:is_gateway', type)
  );
}

function namespaceOf(gateway: Type): string {
  const options: unknown = Reflect.getMetadata(
    'websockets:gateway_options',
    gateway,
  );
  const { namespace = '/' } = Object(options) as { namespace?: string };
  return namespace.startsWith('/') ? namespace : `/${namespace}`;
}
