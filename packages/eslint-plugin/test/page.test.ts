import { gateway, testRule } from './support/cases.js';

const REACT = `import { useEffect, useRef } from 'react';
import { io, Socket } from 'socket.io-client';
`;
const made = (options: string, after = ''): string =>
  `${REACT}const socket = io('/chat', ${options}); ${after}`;
const effect = (body: string, dependencies = '[socket, id]'): string => `
import { useEffect } from 'react'; import { useSocket } from './socket-context';
export function Board({ id }) { const { socket, isConnected } = useSocket(); useEffect(() => { ${body} }, ${dependencies}); return null; }`;

testRule('no-captured-token', {
  valid: [
    made(`{ auth: (callback) => callback({ token: getToken() }) }`),
    made(`{ auth: { room } }`),
    // Connected once; who connects again makes another.
    made(`{ auth: { token: read() }, reconnection: false }`),
    made(`{ auth: { apiKey: KEY } }`),
    made(
      `{ auth: { token } }`,
      `socket.on('connect_error', () => { socket.auth = { token: fresh() }; });`,
    ),
    made(
      `{ auth: { token } }`,
      `socket.io.on('reconnect_attempt', () => { socket.auth.token = fresh(); });`,
    ),
  ],
  invalid: [
    { code: made(`{ auth: { token } }`), errors: ['captured'] },
    { code: made(`{ auth: { accessToken: session.accessToken, room } }`), errors: ['captured'] },
    {
      code: `${REACT}const options = { auth: { jwt: read() } }; export const s = io('/x', options);`,
      errors: ['captured'],
    },
  ],
});

testRule('require-listener-cleanup', {
  valid: [
    effect(
      `const onNews = () => 1; socket.on('news', onNews); return () => { socket.off('news', onNews); };`,
    ),
    effect(`socket.on('news', show); return () => unsubscribe();`),
    effect(`socket.on('news', show); return stopperOf(socket);`),
    effect(`socket.off('news'); socket.on('news', show);`),
    // What the effect opens goes with it, or is another rule's.
    `${REACT}export function A() { useEffect(() => { const socket = io('/x'); socket.on('a', f); }, []); return null; }`,
    effect(`const own = connectTo(id); own.on('a', show);`),
    // No effect of React.
    `import { io } from 'socket.io-client'; export function start(socket) { socket.on('a', f); }`,
  ],
  invalid: [
    { code: effect(`socket.on('news', show);`), errors: ['missing'] },
    {
      code: effect(`if (!socket) return; socket.on('news', (news) => show(news));`),
      errors: ['missing'],
    },
    {
      code: effect(
        `socket?.on('a', show); socket?.on('b', show); return () => { clearTimeout(1); };`,
      ),
      errors: ['missing', 'missing'],
    },
  ],
});

testRule('require-rejoin', {
  valid: [
    effect(
      `socket.on('connect', () => { socket.emit('join', id); }); return () => { socket.off('connect'); };`,
    ),
    effect(
      `const join = () => socket.emit('room:join', id); socket.on('connect', join); socket.emit('room:join', id); return () => { socket.off('connect', join); };`,
    ),
    effect(`if (isConnected) socket.emit('joinRoom', id);`, '[socket, id, isConnected]'),
    effect(`socket.emit('message', id);`),
    // Its id is another one after each reconnect.
    effect(`socket.emit('presence:join', id);`, '[socketId, id]'),
    `import { useEffect } from 'react';
export function B({ socket, id }) {
  useEffect(() => { const again = () => socket.emit('board:join', id); socket.on('connect', again); return () => socket.off('connect', again); }, [socket]);
  useEffect(() => { socket.emit('board:join', id); }, [id]); return null; }`,
    effect(`socket.emit('joint-account', id);`),
    `import { useEffect } from 'react'; export function A({ socket }) { return <b onClick={() => socket.emit('join', 1)} />; }`,
  ],
  invalid: [
    { code: effect(`socket.emit('join', id);`), errors: ['once'] },
    {
      code: effect(`if (!id) return; socket.emit('conversation:join', { id });`),
      errors: ['once'],
    },
    {
      code: effect(
        `socket.emit('subscribeOrder', id); return () => { socket.emit('leave', id); };`,
      ),
      errors: ['once'],
    },
  ],
});

testRule('require-ack-timeout', {
  valid: [
    made(`{}`, `export const a = () => socket.timeout(5000).emitWithAck('x');`),
    made(`{ ackTimeout: 5000 }`, `export const a = () => socket.emitWithAck('x');`),
    made(`{}`, `export const a = () => Promise.race([socket.emitWithAck('x'), late]);`),
    // Of all sockets of a room, and of something else.
    gateway(`a() { return this.io.to(room).timeout(100).emitWithAck('x'); }`),
    `export const a = (bus) => bus.emitWithAck('x');`,
  ],
  invalid: [
    { code: made(`{}`, `export const a = () => socket.emitWithAck('x');`), errors: ['endless'] },
    {
      code: `export const a = async (chatSocket) => { await chatSocket.emitWithAck('x'); };`,
      errors: ['endless'],
    },
    { code: gateway(`a(client: Socket) { return client.emitWithAck('x'); }`), errors: ['endless'] },
  ],
});

testRule('no-token-in-local-storage', {
  valid: [
    made(`{ auth: (callback) => callback({ token: memory.token }) }`),
    made(`{ auth: { theme: localStorage.getItem('theme') } }`),
    `localStorage.getItem('token'); ${REACT}`,
  ],
  invalid: [
    { code: made(`{ auth: { token: localStorage.getItem('accessToken') } }`), errors: ['stored'] },
    {
      code: `${REACT}export function open() { const token = window.localStorage.getItem('jwt'); return io('/x', { auth: { token } }); }`,
      errors: ['stored'],
    },
    {
      code: made(`{ auth: (callback) => callback({ token: localStorage.getItem('token') }) }`),
      errors: ['stored'],
    },
  ],
});

const opened = (url: string): string => `${REACT}export const socket = io(${url});`;

testRule('no-cleartext-connection', {
  valid: [
    opened(`'https://api.example.com'`),
    opened(`'http://localhost:3000'`),
    opened(`'ws://192.168.1.7:3000/chat'`),
    opened(`'http://api:3000'`),
    opened(`URL`),
    opened('`http://${host}/chat`'),
  ],
  invalid: [
    { code: opened(`'http://api.example.com/chat'`), errors: ['cleartext'] },
    { code: opened(`'ws://203.0.113.9:3001'`), errors: ['cleartext'] },
    { code: opened('`http://live.example.com/${room}`'), errors: ['cleartext'] },
  ],
});
