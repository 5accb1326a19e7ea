// @vitest-environment happy-dom
import { screen, waitFor } from '@testing-library/react';
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RealtimeServer, token } from '../../../react/test/realtime-server.js';
import { showSignedIn } from './signed-in.js';

const components = import.meta.glob(
  '@host/apps/web/src/features/notifications/notification-list.tsx',
);

const ANN = token('ann', 'acme');

/** What the API of the page keeps. */
let rows: { id: string; message: string; read: boolean }[] = [];
let requests: { url: string; authorization: string }[] = [];
let broken = false;

async function answerFromRows(
  url: string,
  { headers, signal }: { headers: { authorization: string }; signal: AbortSignal },
): Promise<Response> {
  requests.push({ url, ...headers });
  const unread = rows.filter(({ read }) => !read).length;
  signal.throwIfAborted();
  return Response.json({ notifications: rows, unread }, { status: broken ? 500 : 200 });
}

describe('the list of docs/first-week.md', () => {
  let shown: Awaited<ReturnType<typeof showSignedIn>>;
  let server: RealtimeServer;
  let setAccessToken: (accessToken: string | null) => void;

  beforeEach(async () => {
    rows = [{ id: '1', message: 'Shipped', read: false }];
    requests = [];
    shown = await showSignedIn(components, 'NotificationList', answerFromRows, ANN);
    ({ server, setAccessToken } = shown);
  }, 60_000);

  afterEach(() => shown.end());

  it('is loaded when the connection is there, with the token', async () => {
    await shows('Notifications (1 unread)');
    expect(requests).toMatchObject([
      { url: `${server.url}/api/notifications`, authorization: `Bearer ${ANN}` },
    ]);
    expect(screen.getByRole('listitem').textContent).toContain('Shipped');
  });

  it('is loaded again at an event, after an interruption, and forgotten with the user', async () => {
    await shows('Notifications (1 unread)');
    rows = [{ id: '2', message: 'Paid', read: false }, ...rows];
    server.broadcast('notification.created', {
      ...rows[0]!,
      read: undefined,
      type: 'info',
      userId: 'ann',
    });
    await shows('Notifications (2 unread)');
    rows = rows.map((row) => ({ ...row, read: true }));
    server.broadcast('notification.read', { notificationId: '1', userId: 'ann' });
    await shows('Notifications (0 unread)');
    rows = [{ id: '3', message: 'Missed', read: false }, ...rows];
    server.sockets().forEach((socket) => socket.conn.close());
    await shows('Notifications (1 unread)');
    act(() => setAccessToken(null));
    await shows('Notifications (0 unread)');
    expect(screen.queryAllByRole('listitem')).toEqual([]);
  });

  it('marks one as read, and offers to try again what failed', async () => {
    await shows('Notifications (1 unread)');
    const asked: unknown[] = [];
    server.sockets().forEach((socket) =>
      socket.on('notification.markRead', (payload, ack) => {
        asked.push(payload);
        rows = rows.map((row) => ({ ...row, read: true }));
        ack({ ok: true, data: null });
        server.broadcast('notification.read', { notificationId: '1', userId: 'ann' });
      }),
    );
    act(() => screen.getByText('Mark as read').click());
    await shows('Notifications (0 unread)');
    expect(asked).toEqual([{ notificationId: '1' }]);
    broken = true;
    server.broadcast('notification.read', { notificationId: '1', userId: 'ann' });
    const again = await screen.findByText('Loading failed. Try again');
    broken = false;
    act(() => again.click());
    await waitFor(() => expect(screen.queryByText('Loading failed. Try again')).toBeNull());
  });
});

const shows = (title: string): Promise<unknown> =>
  screen.findByText(title, {}, { timeout: 10_000 });
