import { gateway, testRule } from './support/cases.js';

const MEMBERS = `@SubscribeMessage('a') a() {}`;
const two = (first: string, second: string): string => `
import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway(${first}) export class A {}
@WebSocketGateway(${second}) export class B {}
`;

const withCors = (cors: string): string => gateway(MEMBERS, `{ cors: ${cors} }`);

testRule('no-permissive-cors', {
  valid: [
    gateway(MEMBERS),
    withCors(`{ origin: 'https://app.example.com' }`),
    withCors(`{ origin: ['https://a.example.com', 'https://b.example.com'] }`),
    withCors(`{ origin: process.env.FRONTEND_URL ?? 'http://localhost:3000' }`),
    withCors(`{ origin: ORIGINS }`),
    withCors(`{ origin: (origin, callback) => callback(null, allowed.has(origin)) }`),
    withCors(`false`),
    // Who may connect is decided elsewhere: by hand, or with no request that CORS knows of.
    gateway(MEMBERS, `{ cors: true, allowRequest: check }`),
    gateway(MEMBERS, `{ cors: { origin: '*' }, transports: ['websocket'] }`),
    // Plain websockets know no CORS.
    `import { WebSocketGateway } from '@nestjs/websockets'; import * as WebSocket from 'ws';
@WebSocketGateway({ cors: true }) export class G { all: WebSocket[] = []; }`,
    // HTTP is not ours.
    `import { NestFactory } from '@nestjs/core'; import '@nestjs/websockets';
app.enableCors({ origin: '*' });`,
  ],
  invalid: [
    // Asked for by each of them, told once.
    {
      code: two(`{ namespace: '/a', cors: true }`, `{ namespace: '/b', cors: true }`),
      errors: ['wildcard'],
    },
    { code: withCors(`true`), errors: ['wildcard'] },
    { code: withCors(`'*'`), errors: ['wildcard'] },
    { code: withCors(`{ origin: '*' }`), errors: ['wildcard'] },
    { code: withCors(`{ origin: ['*'] }`), errors: ['wildcard'] },
    { code: withCors(`{ credentials: true }`), errors: ['wildcard'] },
    { code: withCors(`{ origin: true, credentials: true }`), errors: ['reflected'] },
    {
      code: withCors(`{ origin: (origin, callback) => callback(null, true) }`),
      errors: ['reflected'],
    },
    { code: withCors(`{ origin: process.env.FRONTEND_URL }`), errors: ['unchecked'] },
    { code: withCors(`{ origin: process.env.FRONTEND_URL || '*' }`), errors: ['wildcard'] },
    {
      code: `import { Server } from 'socket.io'; const cors = { origin: '*' }; new Server(3000, { cors });`,
      errors: ['wildcard'],
    },
    {
      code: `import { IoAdapter } from '@nestjs/platform-socket.io';
export class A extends IoAdapter { createIOServer(port, options) { return super.createIOServer(port, { ...options, cors: { origin: '*' } }); } }`,
      errors: ['wildcard'],
    },
  ],
});

testRule('require-origin-check', {
  valid: [
    gateway(MEMBERS),
    `import { Server } from 'socket.io'; new Server(3000, { cors: { origin: ORIGINS }, allowRequest });`,
  ],
  invalid: [{ code: withCors(`{ origin: 'https://app.example.com' }`), errors: ['cors'] }],
});

testRule('websocket-only', {
  valid: [
    gateway(MEMBERS),
    gateway(MEMBERS, `{ cors: { origin: 'a' }, transports: ['websocket'] }`),
    gateway(MEMBERS, `{ ...OPTIONS }`),
    `import { io } from 'socket.io-client'; export const s = io('/x', { transports: ['websocket'] });`,
    // The default of a client is what the server allows.
    `import { io } from 'socket.io-client'; export const s = io('/x', { path: '/p' });`,
    `export const config = { transports: ['polling'] };`,
  ],
  invalid: [
    { code: gateway(MEMBERS, `{ cors: { origin: 'a' } }`), errors: ['unset'] },
    { code: gateway(MEMBERS, `{ transports: ['websocket', 'polling'] }`), errors: ['polling'] },
    {
      code: `import { io } from 'socket.io-client'; export const s = io('/x', { transports: ['polling', 'websocket'] });`,
      errors: ['polling'],
    },
  ],
});

testRule('no-ignored-gateway-options', {
  valid: [
    two(`{ namespace: '/a' }`, `{ namespace: '/b' }`),
    two(`{ namespace: '/a', cors: { origin: 'x' } }`, `{ cors: { origin: 'x' }, namespace: '/b' }`),
    two(`3001, { cors: true }`, `3002, { cors: false }`),
    two(`{ path: '/a', cors: true }`, `{ path: '/b' }`),
    `import { WebSocketGateway } from '@nestjs/websockets'; @WebSocketGateway({ cors: true }) export class A {}`,
  ],
  invalid: [
    { code: two(`{ namespace: '/a', cors: true }`, `{ namespace: '/b' }`), errors: ['ignored'] },
    {
      code: two(`{ maxHttpBufferSize: 1 }`, `{ maxHttpBufferSize: 2 }`),
      errors: ['ignored'],
    },
    // One cause among seven: the odd one out.
    {
      code: `import { WebSocketGateway } from '@nestjs/websockets';
${[1, 2, 3, 4, 5, 6].map((n) => `@WebSocketGateway({ namespace: '/${n}', cors: true }) export class A${n} {}`).join('\n')}
@WebSocketGateway({ namespace: '/7' }) export class B {}`,
      errors: ['ignored'],
    },
  ],
});

testRule('no-connection-state-recovery', {
  valid: [
    `import { Server } from 'socket.io'; new Server(3000, { connectionStateRecovery: undefined });`,
    `type O = { connectionStateRecovery: boolean };`,
  ],
  invalid: [
    {
      code: `import { Server } from 'socket.io';
new Server(3000, {
  transports: ['websocket'],
  connectionStateRecovery: { skipMiddlewares: false },
  serveClient: false,
});`,
      errors: ['recovery'],
      output: `import { Server } from 'socket.io';
new Server(3000, {
  transports: ['websocket'],
  serveClient: false,
});`,
    },
    {
      code: `new Server(3000, { a: 1, connectionStateRecovery: {} });`,
      errors: ['recovery'],
      output: `new Server(3000, { a: 1 });`,
    },
    {
      code: `new Server(3000, { connectionStateRecovery: {}, a: 1 });`,
      errors: ['recovery'],
      output: `new Server(3000, { a: 1 });`,
    },
    {
      code: `new Server(3000, { connectionStateRecovery: {} });`,
      errors: ['recovery'],
      output: `new Server(3000, {  });`,
    },
  ],
});
