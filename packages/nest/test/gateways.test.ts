import { AckExceptionFilter, ContractPipe } from '../src/events/client-event';
import { RealtimeException } from '../src/handshake/realtime.errors';
import { SessionRegistry } from '../src/connections/session';
import { type RealtimeSocket } from '../src/connections/socket';
import { WsAuthGuard } from '@kernel/guards/ws-auth.guard';
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  createParamDecorator,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import { map, type Observable } from 'rxjs';
import type { Namespace } from 'socket.io';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { once, sign, Stack } from './support/stack.js';

const schema = z.strictObject({ text: z.string() });
const calls: string[] = [];

class Denying implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

class Wrapping implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ wrapped: data })));
  }
}

/** Of the payload alone: Nest gives it other parameters too. */
class Shouting implements PipeTransform {
  transform(value: unknown): unknown {
    const { text } = Object(value) as { text?: unknown };
    return typeof text === 'string' ? { text: text.toUpperCase() } : value;
  }
}

class ShoutingContract extends ContractPipe<{ text: string }> {
  override async transform(payload: unknown): Promise<{ text: string }> {
    const { text } = await super.transform(payload);
    return { text: text.toUpperCase() };
  }
}

@Catch()
class Translating implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    const answer = host.getArgs<unknown[]>().find((arg) => typeof arg === 'function');
    (answer as (ack: unknown) => void)({ ok: false, error: { code: 'OTHER', message: '' } });
  }
}

const User = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const { data } = context.switchToWs().getClient<RealtimeSocket>();
  return data.identity.userId;
});

@WebSocketGateway({ namespace: '/own' })
@UseGuards(WsAuthGuard)
@UseFilters(AckExceptionFilter)
class Gateway {
  private readonly name = 'gateway';

  @SubscribeMessage('plain')
  plain(
    @MessageBody(new ContractPipe(schema)) body: { text: string },
    @ConnectedSocket() socket: RealtimeSocket,
  ): unknown {
    return [this.name, body.text, socket.data.identity.userId];
  }

  @SubscribeMessage('swapped')
  async swapped(
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody(new ContractPipe(schema)) body: { text: string },
  ): Promise<unknown> {
    return [this.name, body.text, socket.data.identity.userId];
  }

  @SubscribeMessage('refusing')
  refusing(@ConnectedSocket() socket: RealtimeSocket): never {
    throw new RealtimeException('SOLD_OUT', `No seats left in ${socket.nsp.name}`);
  }

  @SubscribeMessage('large')
  large(): unknown {
    return { count: 10n };
  }

  @SubscribeMessage('large-refused')
  largeRefused(): never {
    throw new RealtimeException('SOLD_OUT', 'No seats left', { seats: 10n });
  }

  @SubscribeMessage('inherited-twice')
  twice(@MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    calls.push('first');
    return body;
  }

  @SubscribeMessage('guarded')
  @UseGuards(Denying)
  guarded(@MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    calls.push('guarded');
    return body;
  }

  @SubscribeMessage('intercepted')
  @UseInterceptors(Wrapping)
  intercepted(@MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('piped')
  @UsePipes(Shouting)
  piped(@MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('filtered')
  @UseFilters(Translating)
  filtered(@MessageBody(new ContractPipe(schema)) body: unknown): never {
    throw new Error(`inner text: ${JSON.stringify(body)}`);
  }

  @SubscribeMessage('two-pipes')
  twoPipes(@MessageBody(new ContractPipe(schema), Shouting) body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('own-pipe')
  ownPipe(@MessageBody(new ShoutingContract(schema)) body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('unchecked')
  unchecked(@MessageBody() body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('field')
  field(@MessageBody('text', new ContractPipe(z.string())) text: unknown): unknown {
    return text;
  }

  @SubscribeMessage('decorated')
  decorated(@User() user: unknown, @MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    return [user, body];
  }

  @SubscribeMessage('bare')
  bare(_socket: unknown, body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('gap')
  gap(_gap: unknown, @MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    return [_gap ?? null, body];
  }
}

class Base {
  @SubscribeMessage('inherited-twice')
  again(@MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    calls.push('second');
    return body;
  }
}

@WebSocketGateway({ namespace: 'own' })
@UseGuards(WsAuthGuard)
@UseFilters(AckExceptionFilter)
class SecondGateway extends Base {}

/** As Nest has it: errors are events, and nothing is acknowledged by itself. */
@WebSocketGateway({ namespace: '/own' })
class PlainGateway {
  @SubscribeMessage('by-nest')
  byNest(): unknown {
    return { event: 'answered', data: 1 };
  }

  @SubscribeMessage('refused-by-nest')
  @UseGuards(Denying)
  refused(): unknown {
    calls.push('refused by nest');
    return {};
  }
}

@WebSocketGateway({ namespace: '/late' })
class LateGateway {
  afterInit(namespace: Namespace): void {
    namespace.use((_socket, next) => next(new Error('Not today')));
  }
}

@WebSocketGateway({ namespace: '/guarded' })
@UseGuards(WsAuthGuard, Denying)
@UseFilters(AckExceptionFilter)
class GuardedGateway {
  @SubscribeMessage('plain')
  plain(@MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    calls.push('guarded gateway');
    return body;
  }
}

@WebSocketGateway({ namespace: '/intercepted' })
@UseGuards(WsAuthGuard)
@UseFilters(AckExceptionFilter)
@UseInterceptors(Wrapping)
class InterceptedGateway {
  @SubscribeMessage('plain')
  plain(@MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    return body;
  }
}

const GATEWAYS: Type[] = [
  Gateway,
  SecondGateway,
  PlainGateway,
  LateGateway,
  GuardedGateway,
  InterceptedGateway,
];
const HI = { text: 'hi' };
const invalid = { ok: false, error: { code: 'VALIDATION' } };

describe('a handler', () => {
  let stack: Stack;
  const clients = new Map<string, Socket>();

  beforeAll(async () => {
    stack = await Stack.start({ providers: GATEWAYS });
    for (const namespace of ['/own', '/guarded', '/intercepted']) {
      clients.set(namespace, await stack.connect(namespace));
    }
  });
  afterAll(() => stack?.close());

  const send = (namespace: string, event: string, body: unknown): Promise<unknown> =>
    (clients.get(namespace) as Socket).timeout(1_000).emitWithAck(event, body);

  it.each([
    ['plain', ['gateway', 'hi', 'u1']],
    ['swapped', ['gateway', 'hi', 'u1']],
    ['intercepted', { wrapped: HI }],
    ['piped', { text: 'HI' }],
    ['two-pipes', { text: 'HI' }],
    ['unchecked', HI],
    ['field', 'hi'],
    ['own-pipe', { text: 'HI' }],
    ['decorated', ['u1', HI]],
    ['bare', HI],
    ['gap', [null, HI]],
  ])('%s gets what its decorators ask for', async (event, data) => {
    expect(await send('/own', event, HI)).toEqual({ ok: true, data });
  });

  it.each(['plain', 'swapped', 'intercepted', 'two-pipes', 'own-pipe', 'decorated', 'gap'])(
    '%s gets no body that its contract does not allow',
    async (event) => {
      for (const body of [{ text: 1 }, { text: 'hi', tenantId: 't2' }, null, [HI]]) {
        expect(await send('/own', event, body)).toMatchObject(invalid);
      }
    },
  );

  it.each([
    ['/own', 'refusing', 'SOLD_OUT'],
    ['/own', 'guarded', 'FORBIDDEN'],
    ['/own', 'filtered', 'OTHER'],
    ['/guarded', 'plain', 'FORBIDDEN'],
  ])('%s %s is refused by what is around it', async (namespace, event, code) => {
    calls.length = 0;
    expect(await send(namespace, event, HI)).toMatchObject({ ok: false, error: { code } });
    expect(calls).toEqual([]);
  });

  it('of an intercepted gateway is intercepted', async () => {
    const ack = await send('/intercepted', 'plain', HI);
    expect(ack).toEqual({ ok: true, data: { wrapped: HI } });
  });

  it('and another of the same event in the same namespace are both called', async () => {
    calls.length = 0;
    await send('/own', 'inherited-twice', HI);
    await send('/own', 'plain', HI);
    expect([...calls].sort()).toEqual(['first', 'second']);
  });

  it.each(['large', 'large-refused'])(
    'that answers %s with what cannot be sent is an internal error, once',
    async (event) => {
      const error = { code: 'INTERNAL', message: 'Internal error' };
      expect(await send('/own', event, HI)).toEqual({ ok: false, error });
      expect(await send('/own', 'plain', HI)).toMatchObject({ ok: true });
    },
  );

  it('of a gateway without our filter is served as Nest does, and never acknowledged', async () => {
    const client = clients.get('/own') as Socket;
    const answered = once(client, 'answered');
    client.emit('by-nest', HI);
    expect(await answered).toEqual([1]);
    const refused = once(client, 'exception');
    let acks = 0;
    client.emit('refused-by-nest', HI, () => (acks += 1));
    expect((await refused)[0]).toMatchObject({ message: 'Forbidden resource' });
    await send('/own', 'plain', HI);
    expect([acks, calls.filter((call) => call === 'refused by nest')]).toEqual([0, []]);
  });

  it('is of no use to a socket that the gateway itself refuses: nothing counts it', async () => {
    const token = sign({ sub: 'refused-late' });
    const client = await stack.connect('/own', token);
    const late = client.io.socket('/late', { auth: { token } });
    late.connect();
    expect((await once(late, 'connect_error'))[0]).toMatchObject({ message: 'Not today' });
    const sockets = stack.app.get(SessionRegistry).socketsOf('t1', 'refused-late');
    expect(sockets.map(({ nsp }) => nsp.name)).toEqual(['/own']);
  });

  it('is not called once the token has expired', async () => {
    const token = sign({ exp: Math.floor(Date.now() / 1_000) + 2 });
    const client = await stack.connect('/own', token);
    await once(client, 'realtime.expired');
    for (const event of ['plain', 'unchecked']) {
      const ack: unknown = await client.timeout(1_000).emitWithAck(event, HI);
      expect(ack).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
    }
  });
});
