import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';

export const META = { id: 'e1', at: '2026-01-01T00:00:00Z' };

let events = 0;
const nextMeta = () => ({ ...META, id: `event-${(events += 1)}` });

export interface RealtimeServer {
  readonly url: string;
  readonly port: number;
  readonly io: Server;
  /** Engine connections opened since the start. */
  readonly connections: number;
  /** `auth` of every handshake, in order, refused ones too. */
  readonly handshakes: unknown[];
  /** Decides on the next handshakes; an error refuses. */
  admit: (token: unknown) => Error | undefined;
  sockets(): Socket[];
  broadcast(event: string, payload: unknown, meta?: unknown): void;
  close(): Promise<void>;
}

/** A Socket.IO server on a free port, or on the one it had, with the namespace of notifications. */
export async function startServer(
  port = 0,
  namespace = '/notifications',
  path = '/socket.io',
  maxHttpBufferSize = 65_536,
): Promise<RealtimeServer> {
  const http = createServer();
  const io = new Server(http, { path, transports: ['websocket'], maxHttpBufferSize });
  let connections = 0;
  io.engine.on('connection', () => (connections += 1));
  const nsp = io.of(namespace);
  const handshakes: unknown[] = [];
  nsp.use((socket, next) => {
    handshakes.push(socket.handshake.auth);
    next(server.admit(socket.handshake.auth.token));
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  const bound = (http.address() as AddressInfo).port;
  const server: RealtimeServer = {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    io,
    handshakes,
    get connections() {
      return connections;
    },
    admit: () => undefined,
    sockets: () => [...nsp.sockets.values()],
    broadcast: (event, payload, meta = nextMeta()) => void nsp.emit(event, payload, meta),
    close: () => io.close(),
  };
  return server;
}

export function refusal(code: string, extra: object = {}): Error {
  return Object.assign(new Error(`refused: ${code}`), {
    data: { code, ...extra },
  });
}

/** An unsigned token: the client compares its claims and believes nothing else. */
export function token(sub: string, tenantId: string, claims: object = {}): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub, tenantId, jti: '1', ...claims })}.`;
}

/** Answers `realtime.refresh`, and tells of each token. */
export function onRefresh(
  server: RealtimeServer,
  answer: (token: unknown) => object | undefined = () => ({
    ok: true,
    data: {},
  }),
  namespace = '/notifications',
): unknown[] {
  const tokens: unknown[] = [];
  const listen = (socket: Socket): void =>
    void socket.on('realtime.refresh', ({ token }, ack) => {
      tokens.push(token);
      const result = answer(token);
      if (result) ack(result);
    });
  const nsp = server.io.of(namespace);
  nsp.sockets.forEach(listen);
  nsp.on('connection', listen);
  return tokens;
}
