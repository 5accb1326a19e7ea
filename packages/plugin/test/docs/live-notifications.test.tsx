// @vitest-environment happy-dom
import { cleanup, render, screen, waitFor } from '@testing-library/react';
import { act, createElement, type ComponentType } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RealtimeServer, startServer, token } from '../../../react/test/realtime-server.js';

const components = import.meta.glob(
  '@host/apps/web/src/features/notifications/live-notifications.tsx',
);
const stores = import.meta.glob('@host/apps/web/src/stores/auth.store.ts');
const first = <T,>(found: Record<string, () => Promise<unknown>>): Promise<T> =>
  Object.values(found)[0]!() as Promise<T>;

const ANN = token('ann', 'acme');
const row = (id: string) => ({ id, message: `message ${id}`, type: 'info', userId: 'ann' });

describe('the live list of the README', () => {
  let server: RealtimeServer;
  let setAccessToken: (accessToken: string | null) => void;
  let asked: { url: string; authorization: string; answer: (response: Response) => void }[];

  beforeEach(async () => {
    asked = [];
    server = await startServer();
    vi.resetModules();
    vi.stubEnv('NEXT_PUBLIC_API_URL', server.url);
    vi.stubGlobal('fetch', (url: string, { headers }: { headers: { authorization: string } }) => {
      return new Promise<Response>((answer) => asked.push({ url, ...headers, answer }));
    });
    const store = await first<{
      useAuthStore: { getState(): { setAccessToken: typeof setAccessToken } };
    }>(stores);
    ({ setAccessToken } = store.useAuthStore.getState());
    const { LiveNotifications } = await first<{ LiveNotifications: ComponentType }>(components);
    render(createElement(LiveNotifications));
    act(() => setAccessToken(ANN));
  }, 60_000);

  afterEach(async () => {
    act(() => setAccessToken(null));
    cleanup();
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
    await server.close();
  });

  const requests = (count: number) =>
    waitFor(() => expect(asked).toHaveLength(count), { timeout: 10_000 });
  const answer = (ids: readonly string[], status = 200) =>
    act(async () =>
      asked.at(-1)!.answer(Response.json({ notifications: ids.map(row) }, { status })),
    );
  const shows = (...ids: string[]) =>
    waitFor(
      () =>
        expect(screen.queryAllByRole('listitem').map(({ textContent }) => textContent)).toEqual(
          ids.map((id) => `message ${id}`),
        ),
      { timeout: 10_000 },
    );

  it('has what came while it was loaded, and what comes later', async () => {
    await requests(1);
    expect(asked).toMatchObject([
      { url: `${server.url}/api/notifications`, authorization: `Bearer ${ANN}` },
    ]);
    server.broadcast('notification.created', row('2'));
    await shows('2');
    await answer(['1']);
    await shows('2', '1');
    server.broadcast('notification.created', row('3'));
    await shows('3', '2', '1');
    server.sockets().forEach((socket) => socket.conn.close());
    await screen.findByText('Not connected. What is shown may be old.');
    await requests(2);
    await answer(['4', '3']);
    await shows('4', '3');
  });

  it('says that loading failed, and tries again', async () => {
    await requests(1);
    await answer([], 503);
    const again = await screen.findByText('Loading failed. Try again now');
    act(() => again.click());
    await requests(2);
    await answer(['1']);
    await shows('1');
    expect(screen.queryByText('Loading failed. Try again now')).toBeNull();
  });
});
