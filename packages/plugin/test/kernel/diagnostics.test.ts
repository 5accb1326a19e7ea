import { listen, report } from '@kernel/core/diagnostics';
import { hasSubscribers, subscribe } from 'node:diagnostics_channel';
import { expect, it } from 'vitest';

it('tells every listener of a name, at once, and nobody else, until it ends', () => {
  const heard: unknown[] = [];
  const stop = listen('emit', (fields) => heard.push(['kernel', fields]));
  subscribe('realtime.emit', (fields) => heard.push(['host', fields]));
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
  expect(hasSubscribers('realtime.socket.connected')).toBe(false);
});
