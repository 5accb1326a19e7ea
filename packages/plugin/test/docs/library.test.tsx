// @vitest-environment happy-dom
import { cleanup, render, screen, within } from '@testing-library/react';
import { act, createElement, type ComponentType, type ReactNode } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type RealtimeServer, startServer, token } from '../../../react/test/realtime-server.js';

const found = import.meta.glob([
  '@host/apps/web/src/stores/auth.store.ts',
  '@host/apps/web/src/app/realtime-root.tsx',
  '@host/apps/web/src/features/chats/realtime/use-chats-socket.ts',
  '@host/libs/chat-feature/src/index.tsx',
]);

async function load<T>(name: string): Promise<T> {
  const [, loadModule] = Object.entries(found).find(([path]) => path.includes(name))!;
  return (await loadModule()) as T;
}

let server: RealtimeServer;

beforeEach(async () => {
  server = await startServer(0, '/chats');
  vi.resetModules();
  vi.stubEnv('NEXT_PUBLIC_API_URL', server.url);
}, 60_000);

afterEach(async () => {
  cleanup();
  vi.unstubAllEnvs();
  await server.close();
});

it('the feature of docs/libraries.md has the connection of the app, and the app has its own', async () => {
  const { useAuthStore } = await load<{
    useAuthStore: { getState(): { setAccessToken: (accessToken: string | null) => void } };
  }>('auth.store');
  const { useChatsSocket } = await load<{ useChatsSocket: () => { status: string } }>('use-chats');
  const { RealtimeRoot } = await load<{ RealtimeRoot: ComponentType<{ children: ReactNode }> }>(
    'realtime-root',
  );
  const { ChatMessages } = await load<{ ChatMessages: ComponentType }>('chat-feature');
  const Status = () => createElement('p', null, useChatsSocket().status);
  render(createElement(RealtimeRoot, null, createElement(Status), createElement(ChatMessages)));
  act(() => useAuthStore.getState().setAccessToken(token('ann', 'acme')));
  await screen.findByText('connected', {}, { timeout: 10_000 });
  expect(server.connections).toBe(1);

  server.broadcast('message.posted', { id: '1', author: 'Bob', text: 'Hi' });
  const list = screen.getByRole('list', { name: 'Chat' });
  expect((await within(list).findByRole('listitem')).textContent).toBe('Bob: Hi');
  act(() => useAuthStore.getState().setAccessToken(null));
});

it('a feature without that provider says what it lacks', async () => {
  const { ChatMessages } = await load<{ ChatMessages: ComponentType }>('chat-feature');
  const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(() => render(createElement(ChatMessages))).toThrow('There is no <RealtimeProvider>');
  logged.mockRestore();
});
