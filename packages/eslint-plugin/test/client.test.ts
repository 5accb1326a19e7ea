import { testRule } from './support/cases.js';

const REACT = `import { useEffect, useMemo, useRef, useState } from 'react';
import { io, Socket, Manager } from 'socket.io-client';
`;
const hook = (body: string, params = ''): string =>
  `${REACT}export function useChat(${params}) { ${body} }`;

testRule('no-token-in-url', {
  valid: [
    `${REACT}export const s = io('/chat', { auth: { token } });`,
    `${REACT}export const s = io('/chat', { query: { room } });`,
    `${REACT}export const s = io(\`\${URL}/chat?room=\${room}\`);`,
    `export const url = \`/api?token=\${token}\`;`,
    // Another function, under the same name.
    `${REACT}export const open = (io) => io('/chat', { query: { token } });`,
  ],
  invalid: [
    {
      code: `${REACT}export const s = io('/chat', { query: { token } });`,
      errors: ['url'],
      suggestions: {
        0: {
          messageId: 'auth',
          output: `${REACT}export const s = io('/chat', { auth: { token } });`,
        },
      },
    },
    {
      code: `${REACT}export const s = io('/chat', { query: { accessToken: t, room } });`,
      errors: ['url'],
    },
    { code: `${REACT}export const s = io(\`\${URL}?token=\${token}\`);`, errors: ['url'] },
    {
      code: `${REACT}export const s = io(\`\${URL}?v=1&session_api_key=\${key}\`);`,
      errors: ['url'],
    },
    { code: `${REACT}export const s = io('/chat', { query: { apiKey, room } });`, errors: ['url'] },
    { code: `${REACT}export const s = io(URL + '?token=' + token);`, errors: ['url'] },
    {
      code: `import connect from 'socket.io-client'; const options = { query: { jwt } }; export const s = connect('/chat', options);`,
      errors: ['url'],
      suggestions: {
        0: {
          messageId: 'auth',
          output: `import connect from 'socket.io-client'; const options = { auth: { jwt } }; export const s = connect('/chat', options);`,
        },
      },
    },
    {
      code: `${REACT}export const m = new Manager('/', { query: { token } });`,
      errors: ['url'],
      suggestions: {
        0: {
          messageId: 'auth',
          output: `${REACT}export const m = new Manager('/', { auth: { token } });`,
        },
      },
    },
  ],
});

testRule('no-socket-in-render', {
  valid: [
    `${REACT}const socket = io('/chat'); export function useChat() { return socket; }`,
    hook(
      `useEffect(() => { const socket = io('/chat'); return () => { socket.disconnect(); }; }, []);`,
    ),
    hook(
      `const ref = useRef<Socket>(null); if (!ref.current) { ref.current = io('/chat'); } return ref;`,
    ),
    hook(`const ref = useRef<Socket>(null); ref.current ??= io('/chat'); return ref;`),
    hook(`const socket = useMemo(() => io('/chat'), []); return socket;`),
    `${REACT}export function Join() { const onClick = () => { io('/chat'); }; return <button onClick={onClick} />; }`,
    // A factory of the host's own.
    `${REACT}export function createSocket(token) { return io('/chat', { auth: { token } }); }`,
    `${REACT}export class Client { connect() { return io('/chat'); } }`,
    // No hook: a composable, and a function of a server.
    {
      code: `import { ref } from 'vue'; import { io } from 'socket.io-client'; export function useLive() { const socket = io('/x'); return ref(socket); }`,
      filename: 'src/live.ts',
    },
    {
      code: `import { io } from 'socket.io-client'; import { createServer } from 'node:http'; export function useRelay() { const relay = io('/x'); return relay; }`,
      filename: 'src/relay.ts',
    },
  ],
  invalid: [
    { code: hook(`const socket = io('/chat'); return socket;`), errors: ['render'] },
    {
      code: `${REACT}export const Chat = () => { const socket = io('/chat'); return <p>{socket.id}</p>; };`,
      errors: ['render'],
    },
    { code: hook(`const ref = useRef(io('/chat')); return ref;`), errors: ['initial'] },
    { code: hook(`const [socket] = useState(io('/chat')); return socket;`), errors: ['initial'] },
  ],
});

testRule('require-socket-cleanup', {
  valid: [
    hook(
      `useEffect(() => { const socket = io('/chat'); return () => { socket.disconnect(); }; }, []);`,
    ),
    hook(`useEffect(() => { const socket = io('/chat'); return () => void socket.close(); }, []);`),
    hook(`const ref = useRef<Socket>(null);
  useEffect(() => { ref.current = io('/chat'); }, []);
  useEffect(() => () => { ref.current?.disconnect(); }, []);`),
    hook(`const [socket, setSocket] = useState<Socket>();
  useEffect(() => { const s = io('/chat'); setSocket(s); return () => { disconnectAll(); }; }, []);`),
    // Kept on purpose, for the next component.
    `${REACT}let socket: Socket | undefined;
export function useChat() { useEffect(() => { if (!socket) { socket = io('/chat'); } }, []); }`,
    // A cleanup that is made elsewhere.
    hook(`useEffect(() => { const socket = io('/chat'); return stopperOf(socket); }, []);`),
    `${REACT}export const socket = io('/chat');`,
    `${REACT}export function Join() { return <button onClick={() => io('/chat')} />; }`,
  ],
  invalid: [
    {
      code: hook(`useEffect(() => { const socket = io('/chat'); socket.on('a', set); }, []);`),
      errors: ['missing'],
    },
    {
      code: hook(
        `useEffect(() => { const socket = io('/chat'); socket.on('a', set); return () => { socket.off('a', set); }; }, []);`,
      ),
      errors: ['missing'],
    },
    {
      code: hook(`const socket = useMemo(() => io('/chat'), []); return socket;`),
      errors: ['missing'],
    },
    {
      code: hook(`const [socket] = useState(() => io('/chat')); return socket;`),
      errors: ['missing'],
    },
  ],
});

const listens = (off: string, on = `socket.on('a', onA);`): string => `
import { useEffect } from 'react'; import { useSocket } from './socket-context';
export function useA(onA) { const { socket } = useSocket(); useEffect(() => { ${on} return () => { ${off} }; }, [socket]); }`;

testRule('no-off-without-handler', {
  valid: [
    listens(`socket.off('a', onA);`),
    // Its own socket, or one that it ends.
    hook(
      `useEffect(() => { const socket = io('/chat'); return () => { socket.off('a'); socket.disconnect(); }; }, []);`,
    ),
    listens(`socket.off('a'); socket.disconnect();`),
    listens(`socket.off('a'); disconnectSocket();`),
    hook(
      `const ref = useRef<Socket>(null); useEffect(() => () => { ref.current?.off('a'); }, []);`,
    ),
    `export class Chat { stop() { this.socket.removeAllListeners(); } }`,
    `export function useBus(bus) { const socket = 1; bus.off('a'); return socket; }`,
  ],
  invalid: [
    {
      code: listens(`socket.off('a');`),
      errors: ['all'],
      output: listens(`socket.off('a', onA);`),
    },
    {
      code: listens(`socket.removeAllListeners('a');`),
      errors: ['all'],
      output: listens(`socket.off('a', onA);`),
    },
    { code: listens(`socket.removeAllListeners();`), errors: ['all'] },
    // No name, or two of them: somebody must choose.
    {
      code: listens(`socket.off('new-message');`, `socket.on('new-message', (m) => onA(m));`),
      errors: ['all'],
      suggestions: {
        0: {
          messageId: 'hoist',
          output: listens(
            `socket.off('new-message', onNewMessage);`,
            `const onNewMessage = (m) => onA(m);\nsocket.on('new-message', onNewMessage);`,
          ),
        },
      },
    },
    // The name is taken.
    {
      code: listens(`socket.off('a');`, `socket.on('a', () => onA());`),
      errors: ['all'],
    },
    {
      code: listens(`socket.off('a');`, `socket.on('a', onA); socket.on('a', onB);`),
      errors: ['all'],
    },
    // The name means nothing where it is removed.
    {
      code: listens(`socket.off('a');`, `if (onA) { const f = () => onA(); socket.on('a', f); }`),
      errors: ['all'],
    },
  ],
});

const connects = (dependencies: string, setup = '', params = 'token, onMessage'): string =>
  hook(
    `${setup} useEffect(() => { const socket = io('/chat'); return () => { socket.disconnect(); }; }, ${dependencies});`,
    params,
  );

testRule('no-callback-in-effect-deps', {
  valid: [
    connects('[token]'),
    connects('[]'),
    connects('[token, onMessageRef]', 'const onMessageRef = useRef(onMessage);'),
    connects('[handle]', 'const handle = useCallback(() => token, [token]);'),
    connects('[stable]', '', 'stable'),
    // An effect that does not connect may run as often as it likes.
    hook(`useEffect(() => { onMessage(); }, [onMessage]);`, 'onMessage'),
    connects('[url]', 'const url = `/chat/${token}`;'),
  ],
  invalid: [
    // Only as stable as what it depends on, however deep the caller's function is.
    {
      code: connects('[handle]', 'const handle = useCallback(() => onMessage(), [onMessage]);'),
      errors: ['through'],
    },
    {
      code: hook(
        `const receive = useCallback((m) => props.onNews(m), [props.onNews]);
  const open = useCallback(() => { const socket = io('/chat'); socket.on('a', receive); return () => { socket.close(); }; }, [receive]);
  useEffect(() => open(), [open]);`,
        'props',
      ),
      errors: ['through'],
    },
    { code: connects('[token, onMessage]'), errors: ['parameter'] },
    { code: connects('[props.onMessage]', '', 'props'), errors: ['parameter'] },
    { code: connects('[onMessage]', '', '{ onMessage }'), errors: ['parameter'] },
    { code: connects('[receive]', 'const receive = (m) => m;'), errors: ['local'] },
    { code: connects('[receive]', 'function receive(m) { return m; }'), errors: ['local'] },
    { code: connects('[options]', 'const options = { token };'), errors: ['local'] },
    { code: connects('[rooms]', 'const rooms = token.map((t) => t.id);'), errors: ['local'] },
  ],
});

const store = (use: string): string => `
import { create, useStore } from 'zustand'; import { useShallow } from 'zustand/react/shallow';
import { useSelector } from 'react-redux'; import { useCartStore } from '../stores/cart.store';
const useChatStore = create((set) => ({ items: [] }));
export function Chat() { return ${use}; }`;

testRule('no-unstable-selector', {
  valid: [
    store(`useChatStore((state) => state.items)`),
    store(`useChatStore((state) => state.items.length)`),
    store(`useChatStore((state) => state.items.filter(Boolean).length)`),
    store(`useChatStore((state) => state.items ?? EMPTY)`),
    store(`useChatStore(useShallow((state) => ({ items: state.items })))`),
    store(`useChatStore((state) => ({ items: state.items }), shallow)`),
    store(`useChatStore()`),
    store(`useSelector((state) => ({ items: state.items }))`),
    `import { useAppStore } from 'some-library'; export const x = useAppStore((s) => [s.a]);`,
    `import { createWithEqualityFn } from 'zustand/traditional'; import { shallow } from 'zustand/shallow';
const useCart = createWithEqualityFn((set) => ({ a: [] }), shallow); export const useA = () => useCart((s) => [s.a]);`,
  ],
  invalid: [
    { code: store(`useChatStore((state) => state.items.filter(Boolean))`), errors: ['fresh'] },
    { code: store(`useChatStore((state) => ({ items: state.items }))`), errors: ['fresh'] },
    { code: store(`useChatStore((state) => { return [state.a, state.b]; })`), errors: ['fresh'] },
    { code: store(`useChatStore((state) => Object.values(state.byId))`), errors: ['fresh'] },
    { code: store(`useChatStore((state) => state.items ?? [])`), errors: ['empty'] },
    { code: store(`useChatStore((state) => (state.items ? state.items : []))`), errors: ['empty'] },
    { code: store(`useCartStore((state) => state.items.map((i) => i.id))`), errors: ['fresh'] },
    { code: store(`useStore(chatStore, (state) => state.items || [])`), errors: ['empty'] },
  ],
});

testRule('no-limited-reconnection', {
  valid: [
    `${REACT}export const s = io('/chat', { reconnectionAttempts: Infinity });`,
    `${REACT}export const s = io('/chat', { reconnectionAttempts: attempts });`,
    `export const config = { reconnectionAttempts: 5 };`,
    // Connected again by hand; and a server's.
    `${REACT}export function open(again) { const s = io('/chat', { reconnection: false }); s.on('disconnect', () => setTimeout(() => s.connect(), 500)); }`,
    {
      code: `import { Injectable } from '@nestjs/common'; import { io } from 'socket.io-client'; export const ask = (url) => io(url, { reconnection: false });`,
      filename: 'src/ask.provider.ts',
    },
    // For one request of a server, which closes it.
    {
      code: `import { io } from 'socket.io-client';
export function ask(url: string) { const link = io(url, { reconnectionAttempts: 3 }); link.emit('a', () => link.close()); }`,
      filename: 'src/ask.ts',
    },
    {
      code: `import { io } from 'socket.io-client'; export const s = io('/chat', { reconnection: false });`,
      filename: 'load-tests/many.ts',
    },
  ],
  invalid: [
    {
      code: `${REACT}export const s = io('/chat', {
  reconnectionAttempts: 5,
  reconnectionDelay: 1000,
});`,
      errors: ['limited'],
      output: `${REACT}export const s = io('/chat', {
  reconnectionDelay: 1000,
});`,
    },
    {
      code: `${REACT}export const m = new Manager('/', { reconnection: false });`,
      errors: ['off'],
    },
    {
      code: `${REACT}const tries = 4; export const s = io('/chat', { reconnectionAttempts: tries });`,
      errors: ['limited'],
      output: `${REACT}const tries = 4; export const s = io('/chat', {  });`,
    },
  ],
});

testRule('require-connect-error-handler', {
  valid: [
    `${REACT}const socket = io('/chat'); socket.on('a', f); socket.on('connect_error', g);`,
    `${REACT}const socket = io('/chat'); socket.on('a', f); socket.io.on('error', g);`,
    `${REACT}const socket = io('/chat'); for (const [event, f] of handlers) socket.on(event, f);`,
    // Whoever listens is elsewhere.
    `${REACT}export const socket = io('/chat');`,
    `${REACT}export function listen(socket: Socket) { socket.on('a', f); }`,
  ],
  invalid: [
    { code: `${REACT}const socket = io('/chat'); socket.on('a', f);`, errors: ['missing'] },
    {
      code: `const { io } = require('socket.io-client'); const s = io('/chat'); s.on('a', f);`,
      errors: ['missing'],
    },
  ],
});
