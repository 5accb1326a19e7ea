// @vitest-environment happy-dom
import { screen, waitFor } from '@testing-library/react';
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RealtimeServer, token } from '../../../react/test/realtime-server.js';
import { showSignedIn } from './signed-in.js';

const components = import.meta.glob(
  '@host/apps/web/src/features/notifications/live-notifications.tsx',
);

const ANN = token('ann', 'acme');
const row = (id: string) => ({ id, message: `message ${id}`, type: 'info', userId: 'ann' });

describe('the live list of the README', () => {
  let shown: Awaited<ReturnType<typeof showSignedIn>>;
  let server: RealtimeServer;
  let asked: { url: string; authorization: string; answer: (response: Response) => void }[];

  beforeEach(async () => {
    asked = [];
    const fetch = (url: string, { headers }: { headers: { authorization: string } }) =>
      new Promise<Response>((answer) => asked.push({ url, ...headers, answer }));
    shown = await showSignedIn(components, 'LiveNotifications', fetch, ANN);
    ({ server } = shown);
  }, 60_000);

  afterEach(() => shown.end());

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
