import { WsAuthGuard } from '@kernel/guards/ws-auth.guard';
import { RealtimeModule } from '@kernel/realtime.module';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../src/config/realtime.config';
import { setupRealtime } from '../src/lifecycle/setup-realtime';
import {
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  type INestApplication,
  type NestInterceptor,
  type PipeTransform,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import type { AddressInfo } from 'node:net';
import { lastValueFrom, map, type Observable } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { freePorts } from './support/brokers.js';
import { connected, ENV, once, refused, sign } from './support/stack.js';

/** Nest 12 runs the guards and pipes of a host on gateways too; Nest 11 does not. */
const major = process.env['KERNEL_HOST'] === 'kernel-nest12' ? 12 : 11;

const seen: string[] = [];

/** As a host may have it for its own routes: it lets everything through. */
class OpenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    seen.push(context.getType());
    return true;
  }
}

/** As a host may have it: it reads what only a request has. */
class HttpGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return request.headers['x-api-key'] === 'inner text';
  }
}

class HttpPipe implements PipeTransform {
  transform(): never {
    throw new Error('inner text of a pipe for HTTP');
  }
}

@Catch()
class HttpFilter implements ExceptionFilter {
  catch(): void {
    seen.push('filter');
  }
}

/** As a host may have it: every response of its own routes is wrapped. */
class HttpInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ status: 'success', data })));
  }
}

@Controller('plain')
@UseGuards(WsAuthGuard)
class HttpController {
  @Get()
  get(): string {
    return 'let in';
  }
}

describe(`in a host with global guards, pipes and filters, on Nest ${major}`, () => {
  let app: INestApplication | undefined;
  let port = 0;
  let brokerPort = 0;
  const clients: Socket[] = [];

  const start = async (providers: object[], ...pipes: PipeTransform[]): Promise<void> => {
    [brokerPort] = await freePorts();
    const module = await Test.createTestingModule({
      imports: [RealtimeModule],
      controllers: [HttpController],
      providers: providers as [],
    })
      .overrideProvider(REALTIME_CONFIG)
      .useValue(loadRealtimeConfig({ ...ENV, REALTIME_TCP_PORT: String(brokerPort) }))
      .compile();
    app = module.createNestApplication({ logger: false });
    app.useGlobalPipes(...pipes);
    await setupRealtime(app);
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
  };
  const client = (token: string): Socket => {
    const socket = io(`http://127.0.0.1:${port}/notifications`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      auth: { token },
    });
    clients.push(socket);
    return socket;
  };
  const markRead = async (lifetime = 60): Promise<unknown> => {
    const socket = client(sign({ exp: Math.floor(Date.now() / 1_000) + lifetime }));
    await connected(socket);
    if (lifetime < 5) await once(socket, 'realtime.expired');
    return socket.timeout(1_000).emitWithAck('notification.markRead', { notificationId: '1' });
  };

  afterEach(async () => {
    clients.splice(0).forEach((socket) => socket.disconnect());
    await app?.close();
    seen.length = 0;
  });

  it('runs on the Nest that it says', async () => {
    const { version } = await import('@nestjs/core/package.json');
    expect(version).toMatch(new RegExp(`^${major}\\.`));
  });

  it('a guard that lets everything through opens nothing', async () => {
    await start([{ provide: APP_GUARD, useClass: OpenGuard }]);
    expect(await refused(client('bad'))).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await markRead(2)).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
    expect(seen.includes('ws')).toBe(major === 12);
  });

  it('a guard for HTTP refuses client events at most, with an acknowledgement', async () => {
    await start([{ provide: APP_GUARD, useClass: HttpGuard }]);
    const ack = await markRead();
    if (major === 11) expect(ack).toMatchObject({ ok: true });
    else expect(ack).toMatchObject({ ok: false });
    expect(JSON.stringify(ack)).not.toContain('inner text');
  });

  it('a filter of the host leaves errors to the acknowledgement', async () => {
    await start([{ provide: APP_FILTER, useClass: HttpFilter }]);
    expect(await markRead(2)).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
    expect(seen).toEqual([]);
  });

  it('a pipe of the host lets nothing of its error out', async () => {
    await start([{ provide: APP_PIPE, useClass: HttpPipe }]);
    const ack = await markRead();
    if (major === 11) expect(ack).toMatchObject({ ok: true });
    else expect(ack).toMatchObject({ ok: false });
    expect(JSON.stringify(ack)).not.toContain('inner text');
  });

  it('an interceptor of the host changes the data of an acknowledgement at most', async () => {
    await start([{ provide: APP_INTERCEPTOR, useClass: HttpInterceptor }]);
    const data = major === 11 ? null : { status: 'success' };
    expect(await markRead()).toEqual({ ok: true, data });
  });

  it('the guard of the kernel opens no route over HTTP', async () => {
    await start([]);
    const { status } = await fetch(`http://127.0.0.1:${port}/plain`);
    expect(status).toBe(403);
  });

  // Taken out: `inheritAppConfig: false`.
  it('broker events pass none of the pipes for HTTP', async () => {
    await start([], new HttpPipe());
    const socket = client(sign());
    await connected(socket);
    const received = once(socket, 'notification.created');
    const publisher = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { port: brokerPort },
    });
    const notification = { id: '1', message: 'hi', type: 'info' };
    const data = { tenantId: 't1', notification };
    await lastValueFrom(publisher.emit('notification.created', data));
    expect((await received)[0]).toEqual(notification);
    publisher.close();
  });
});
