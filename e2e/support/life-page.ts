import type { Host } from './host';

/** What the page of `addLifePage` offers to the test that drives it. */
export interface Life {
  /** How often React has mounted the page: twice in StrictMode. */
  mounts: number;
  /** Written by a test, to tell this copy of the modules from the next. */
  mark?: string;
  signIn(token: string | null): void;
  /** What the app's own sign-in would fetch when a token runs out; none: it declines. */
  nextToken: string | null;
  /** How often it was asked for. */
  renewals: number;
  /** Ids that the hook was given, and how long its gaps were. */
  received: string[];
  gaps: number[];
  /** Sends a command: `ok`, or the code of its error. */
  markRead(): Promise<string>;
}

declare global {
  interface Window {
    life: Life;
  }
}

/** A page of an owner that shows all that the hook and the store say. */
export function addLifePage(host: Host): void {
  host.write(
    'apps/web/src/app/life/page.tsx',
    `'use client';

import { RealtimeCommandError } from '@nx-realtime/react';
import { StrictMode, useEffect, useState } from 'react';
import { useNotificationsSocket } from '../../features/notifications/realtime/use-notifications-socket';
import { useNotificationsStore } from '../../features/notifications/realtime/use-notifications-store';
import { realtime } from '../../lib/realtime/realtime-client';
import { useAuthStore } from '../../stores/auth.store';

interface Life {
  mounts: number;
  signIn: (token: string | null) => void;
  nextToken: string | null;
  renewals: number;
  received: string[];
  gaps: number[];
  markRead?: () => Promise<string>;
}

const signIn = useAuthStore.getState().setAccessToken;
const life: Life = {
  mounts: 0,
  signIn,
  nextToken: null,
  renewals: 0,
  received: [],
  gaps: [],
};

realtime.configure({
  refresh: async () => {
    life.renewals += 1;
    if (life.nextToken) signIn(life.nextToken);
  },
});

const codeOf = (error: unknown) =>
  error instanceof RealtimeCommandError ? error.code : String(error);

/** Not part of what is hydrated: React mounts that once, also in StrictMode. */
export default function LifePage() {
  const [isHydrated, setHydrated] = useState(false);
  useEffect(() => setHydrated(true), []);
  return <StrictMode>{isHydrated && <Notifications />}</StrictMode>;
}

function Notifications() {
  const notifications = useNotificationsStore((state) => state.notifications);
  const { status, error, markRead } = useNotificationsSocket({
    onNotificationCreated: ({ id }) => life.received.push(id),
    onResync: ({ since, until }) => {
      // The first connection has none before it.
      if (since.getTime() > 0) life.gaps.push(until.getTime() - since.getTime());
    },
  });
  useEffect(() => {
    life.mounts += 1;
    life.markRead = () => markRead({ notificationId: 'n1' }).then(() => 'ok', codeOf);
    Object.assign(window, { life });
    if (window.location.hash) signIn(window.location.hash.slice(1));
  }, [markRead]);
  return (
    <main>
      <h1>Notifications</h1>
      <p role="status" id="status">
        {status} {error?.code}
      </p>
      <ul>
        {notifications.map(({ id, message }) => (
          <li key={id}>{message}</li>
        ))}
      </ul>
    </main>
  );
}
`,
  );
}
