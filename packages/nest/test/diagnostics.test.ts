import { listen, report, type RealtimeDiagnostics } from '../src/observability/diagnostics';
import { hasSubscribers, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from 'vitest';
import { sign, Stack } from './support/stack.js';

it('tells every listener of a name, at once, and nobody else, until it ends', () => {
  const heard: unknown[] = [];
  const stop = listen('emit', (fields) => heard.push(['kernel', fields]));
  const host = (fields: unknown) => void heard.push(['host', fields]);
  subscribe('realtime.emit', host);
  const fields = { namespace: '/notifications', event: 'notification.created' };
  report('emit', fields);
  report('socket.connected', { namespace: '/notifications' });
  stop();
  report('emit', fields);
  expect(heard).toEqual([
    ['kernel', fields],
    ['host', fields],
    ['host', fields],
  ]);
  unsubscribe('realtime.emit', host);
  expect(hasSubscribers('realtime.emit')).toBe(false);
});

describe('the server reports', () => {
  const stops: (() => void)[] = [];
  let stack: Stack | undefined;
  afterEach(async () => {
    stops.splice(0).forEach((stop) => stop());
    await stack?.close();
  });

  const heard = <N extends keyof RealtimeDiagnostics>(name: N): RealtimeDiagnostics[N][] => {
    const all: RealtimeDiagnostics[N][] = [];
    stops.push(listen(name, (fields) => all.push(fields)));
    return all;
  };

  it('handshakes by namespace and result, of upgrades too', async () => {
    const handshakes = heard('handshake');
    stack = await Stack.start();
    await stack.connect('/notifications');
    await stack.refusal('/notifications', { token: 'x' });
    await stack.refusal('/', { token: sign() });
    await stack.refusal('/notifications', { token: sign(), origin: 'https://evil.example' });
    expect(handshakes).toEqual([
      { namespace: '/notifications', result: 'ok' },
      { namespace: '/notifications', result: 'UNAUTHORIZED' },
      { namespace: '/', result: 'NAMESPACE_REQUIRED' },
      { result: 'ORIGIN' },
    ]);
  });

  it('sockets that come and go, and only those that were let in', async () => {
    const connected = heard('socket.connected');
    const disconnected = heard('socket.disconnected');
    stack = await Stack.start();
    const socket = await stack.connect('/notifications');
    await stack.refusal('/notifications', { token: 'x' });
    socket.disconnect();
    await expect.poll(() => disconnected).toHaveLength(1);
    expect(connected).toEqual([{ namespace: '/notifications' }]);
    expect(disconnected).toEqual([
      { namespace: '/notifications', reason: 'client namespace disconnect' },
    ]);
  });

  it('client events by result, acknowledged or not, and no name that a client made up', async () => {
    const events = heard('client.event');
    const limited = heard('rate.limited');
    stack = await Stack.start({
      env: { REALTIME_RATE_EVENTS: '1', REALTIME_RATE_EVENTS_BURST: '5' },
    });
    const socket = await stack.connect('/notifications');
    const good = { notificationId: 'n1' };
    await socket.emitWithAck('notification.markRead', good);
    socket.emit('notification.markRead', good);
    await expect.poll(() => events).toHaveLength(2);
    await socket.emitWithAck('notification.markRead', {});
    await socket.emitWithAck('made.up.by.a.client');
    await socket.emitWithAck('realtime.refresh', { token: 'x' });
    await socket.emitWithAck('notification.markRead', good);
    const namespace = '/notifications';
    expect(events.map(({ event, result }) => [event, result])).toEqual([
      ['notification.markRead', 'ok'],
      ['notification.markRead', 'ok'],
      ['notification.markRead', 'VALIDATION'],
      ['unknown', 'VALIDATION'],
      ['realtime.refresh', 'UNAUTHORIZED'],
      ['notification.markRead', 'RATE_LIMITED'],
    ]);
    expect(events.every(({ ms }) => ms >= 0 && ms < 5_000)).toBe(true);
    expect(new Set(events.map((event) => event.namespace))).toEqual(new Set([namespace]));
    expect(limited).toEqual([{ what: 'event' }]);
  });

  it('what waits for slow readers, once a second', async () => {
    const buffered = heard('buffered');
    stack = await Stack.start();
    await expect.poll(() => buffered.length, { timeout: 3_000 }).toBeGreaterThan(0);
    expect(buffered[0]).toEqual({ totalBytes: 0, maxBytes: 0 });
  });

  it('connections that are one too many for their user', async () => {
    const limited = heard('rate.limited');
    stack = await Stack.start({ env: { REALTIME_MAX_CONNECTIONS_PER_USER: '1' } });
    await stack.connect('/notifications');
    await stack.refusal('/notifications', { token: sign() });
    expect(limited).toEqual([{ what: 'connection' }]);
  });
});
