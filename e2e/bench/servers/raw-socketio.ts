/** The comparison (a): socket.io and amqplib by hand, the same check of the token, nothing else. */
import { createServer } from 'node:http';
import { connect } from 'amqplib';
import { verify, type JwtPayload } from 'jsonwebtoken';
import { Server } from 'socket.io';

const { PORT, JWT_SECRET, JWT_PUBLIC_KEY, RABBITMQ_URL = '' } = process.env;
const key = (JWT_PUBLIC_KEY ?? JWT_SECRET) as string;
const algorithm = JWT_PUBLIC_KEY ? 'RS256' : 'HS256';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
const notifications = io.of('/notifications');

notifications.use((socket, next) => {
  try {
    const token = socket.handshake.auth['token'] as string;
    socket.data = verify(token, key, { algorithms: [algorithm] });
    next();
  } catch {
    next(new Error('Unauthorized'));
  }
});
notifications.on('connection', (socket) => {
  const { tenantId, sub } = socket.data as JwtPayload;
  void socket.join([`tenant:${tenantId}`, `user:${tenantId}:${sub}`]);
  socket.on('notification.markRead', (_payload, acknowledge) => {
    acknowledge({ ok: true, data: null });
  });
});

http.listen(Number(PORT), async () => {
  const connection = await connect(RABBITMQ_URL);
  const channel = await connection.createChannel();
  await channel.assertExchange('realtime.events', 'topic', { durable: true });
  await channel.assertQueue('bench.raw', {
    durable: true,
    arguments: { 'x-queue-type': 'quorum' },
  });
  await channel.bindQueue('bench.raw', 'realtime.events', 'notification.created');
  await channel.prefetch(100);
  await channel.consume('bench.raw', (message) => {
    if (!message) return;
    const { pattern, data } = JSON.parse(message.content.toString());
    const meta = { id: message.properties.messageId, at: new Date().toISOString() };
    notifications.to(`tenant:${data.tenantId}`).emit(pattern, data.notification, meta);
    channel.ack(message);
  });
  process.stdout.write('listening\n');
});
