import {
  Controller,
  type ExceptionFilter,
  Get,
  Module,
  Post,
  RequestMethod,
  UseFilters,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { Adapter } from 'socket.io-adapter';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectionRegistry } from '../src/connections/connection-registry';
import type { Connection } from '../src/connections/socket';
import { Broadcaster } from '../src/events/broadcaster';
import { RealtimeCoreModule } from '../src/lifecycle/realtime-core.module';
import {
  boundFragments,
  bufferedBytes,
  endFirst,
  eventsOf,
  filtersOf,
  isGateway,
  isGone,
  moduleMetadata,
  namesConnection,
  namespaceOf,
  pathsAt,
  rawSocket,
  requestMethodOf,
  wrapEncoder,
} from '../src/private-doors';
import { Stack } from './support/stack.js';

/** Each of these goes red when a library moves what is reached into. */
describe('the private doors of other libraries', () => {
  let stack: Stack;
  let conn: Connection;

  beforeAll(async () => {
    stack = await Stack.start();
    await stack.connect('/notifications');
    conn = stack.app.get(ConnectionRegistry).open()[0]!.conn;
  });
  afterAll(() => stack?.close());

  it('lead to the ws socket below a connection, and to what waits in front of it', () => {
    const raw = rawSocket(conn);
    expect([raw?.readyState, raw?.bufferedAmount]).toEqual([1, 0]);
    expect(raw?.terminate).toBeTypeOf('function');
    expect(raw?.on).toBeTypeOf('function');
    expect(Array.isArray(Reflect.get(conn, 'writeBuffer'))).toBe(true);
    expect([bufferedBytes(conn), isGone(conn)]).toEqual([0, false]);
    expect(boundFragments(conn, 64)).toBe(true);
  });

  it('fall back where there is no such socket or buffer', () => {
    const bare = { readyState: 'closed', transport: {} } as unknown as Connection;
    expect([rawSocket(bare), bufferedBytes(bare), isGone(bare)]).toEqual([undefined, 0, true]);
    expect(boundFragments(bare, 64)).toBe(false);
  });

  it('lead to the query that Engine.IO has read, and fall back to the address', () => {
    expect(Reflect.get(conn.request, '_query')).toMatchObject({ EIO: '4' });
    const request = (fields: object) => fields as IncomingMessage;
    expect(namesConnection(request({ _query: { sid: 'x' } }))).toBe(true);
    expect(namesConnection(request({ _query: {} }))).toBe(false);
    expect(namesConnection(request({ url: '/socket.io/?EIO=4&sid=x' }))).toBe(true);
    expect(namesConnection(request({ url: '/socket.io/?EIO=4' }))).toBe(false);
  });

  it('lead to the encoder of broadcasts, and change nothing where there is none', () => {
    const { server } = stack.app.get(Broadcaster) as unknown as {
      server: { of(name: string): { adapter: Adapter } };
    };
    expect(Reflect.get(server.of('/notifications').adapter, '_encode')).toBeTypeOf('function');
    const none = {} as Adapter;
    wrapEncoder(none, (encode) => encode);
    expect(none).toEqual({});
  });

  it('lead to what Nest’s decorators say', () => {
    class Filter implements ExceptionFilter {
      catch(): void {}
    }

    @WebSocketGateway({ namespace: 'orders' })
    @UseFilters(Filter)
    class Gateway {
      @SubscribeMessage('order.place')
      place(): void {}
    }

    @Controller(['a', 'b'])
    class Routes {
      @Get('x')
      read(): void {}

      @Post()
      write(): void {}
    }

    @Module({ imports: [RealtimeCoreModule], providers: [Gateway] })
    class AppModule {}

    expect([isGateway(Gateway), isGateway(Routes), isGateway(undefined)]).toEqual([
      ...[true, false, false],
    ]);
    expect([namespaceOf(Gateway), eventsOf(Gateway)]).toEqual(['/orders', ['order.place']]);
    expect([filtersOf(Gateway), filtersOf(Routes)]).toEqual([[Filter], []]);
    expect([pathsAt(Routes), pathsAt(Routes.prototype.read)]).toEqual([['a', 'b'], ['x']]);
    expect([Routes.prototype.read, Routes.prototype.write].map(requestMethodOf)).toEqual([
      RequestMethod.GET,
      RequestMethod.POST,
    ]);
    expect(moduleMetadata(AppModule, 'imports')).toEqual([RealtimeCoreModule]);
    expect(moduleMetadata(AppModule, 'providers')).toEqual([Gateway]);
  });

  it('lead to the order in which Nest ends modules, and say so where they do not', () => {
    const modules = stack.app.get(ModulesContainer);
    const [core] = [...modules.values()].filter(({ metatype }) => metatype === RealtimeCoreModule);
    expect(core?.distance).toBe(-1);
    expect(endFirst(modules, RealtimeCoreModule)).toBe(true);
    const other = new Map([['x', { metatype: RealtimeCoreModule }]]);
    expect(endFirst(other as unknown as ModulesContainer, RealtimeCoreModule)).toBe(false);
  });
});
