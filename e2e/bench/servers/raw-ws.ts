/** The comparison (c): ws and amqplib, one frame built for each broadcast. The limit of what Node does. */
import { createServer } from 'node:http';
import { connect } from 'amqplib';
import { verify, type JwtPayload } from 'jsonwebtoken';
import { WebSocket, WebSocketServer } from 'ws';

const { PORT, JWT_SECRET, JWT_PUBLIC_KEY, RABBITMQ_URL = '' } = process.env;
const key = (JWT_PUBLIC_KEY ?? JWT_SECRET) as string;
const algorithm = JWT_PUBLIC_KEY ? 'RS256' : 'HS256';

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
const tenants = new Map<string, Set<WebSocket>>();

server.on('connection', (socket) => {
  socket.once('message', (first) => {
    const { token } = JSON.parse(String(first)) as { token: string };
    let tenantId: string;
    try {
      tenantId = (verify(token, key, { algorithms: [algorithm] }) as JwtPayload)['tenantId'];
    } catch {
      socket.close();
      return;
    }
    const members = tenants.get(tenantId) ?? new Set();
    tenants.set(tenantId, members.add(socket));
    socket.on('close', () => members.delete(socket));
    socket.on('message', (text) => {
      const [id] = JSON.parse(String(text)) as [number];
      socket.send(`3${id}[{"ok":true,"data":null}]`);
    });
    socket.send('ready');
  });
});

http.listen(Number(PORT), async () => {
  const connection = await connect(RABBITMQ_URL);
  const channel = await connection.createChannel();
  await channel.assertExchange('realtime.events', 'topic', { durable: true });
  await channel.assertQueue('bench.ws', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue('bench.ws', 'realtime.events', 'notification.created');
  await channel.prefetch(100);
  await channel.consume('bench.ws', (message) => {
    if (!message) return;
    const { pattern, data } = JSON.parse(message.content.toString());
    const meta = { id: message.properties.messageId, at: new Date().toISOString() };
    const frame = textFrame(JSON.stringify([pattern, data.notification, meta]));
    for (const socket of tenants.get(data.tenantId) ?? []) {
      // ws would build a header for each: the raw socket takes the whole frame in one write.
      if (socket.readyState === WebSocket.OPEN) {
        (socket as unknown as { _socket: { write(frame: Buffer): void } })._socket.write(frame);
      }
    }
    channel.ack(message);
  });
  process.stdout.write('listening\n');
});

function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const header =
    length < 126
      ? Buffer.from([0x81, length])
      : Buffer.from([0x81, 126, length >> 8, length & 0xff]);
  return Buffer.concat([header, payload]);
}
