import { act } from '@testing-library/react';
import { vi } from 'vitest';
import { token } from './realtime-server.js';

export const ALICE = token('auth0|älice', 't1');
export const ALICE_AGAIN = token('auth0|älice', 't1', { jti: '2' });
export const ALICE_ELSEWHERE = token('auth0|älice', 't2');
export const BOB = token('bob', 't1');

/** Of one page: its modules are fresh, and so is their state. */
export type Page = Awaited<ReturnType<typeof loadPage>>;

/** A fresh copy of the emitted modules, whose state is that of one page. */
export async function loadPage(url: string) {
  vi.resetModules();
  vi.stubEnv('NEXT_PUBLIC_REALTIME_URL', url);
  const auth = await import('@web/stores/auth.store');
  const kernel = await import('@nx-realtime/react');
  const { realtime } = await import('@web/lib/realtime/realtime-client');
  const hook = await import('@web/features/notifications/realtime/use-notifications-socket');
  const store = await import('@web/features/notifications/realtime/use-notifications-store');
  const provider = await import('@web/features/notifications/realtime/notifications-provider');
  const faults: Error[] = [];
  realtime.configure({ onFault: (fault) => faults.push(fault as Error) });
  return {
    ...hook,
    ...store,
    ...provider,
    kernel,
    realtime,
    faults,
    channel: hook.notificationsChannel,
    status: () => hook.notificationsChannel.getState().status,
    error: () => hook.notificationsChannel.getState().error,
    token: () => auth.useAuthStore.getState().accessToken,
    signIn: (accessToken: string | null) =>
      act(() => auth.useAuthStore.getState().setAccessToken(accessToken)),
  };
}

export const pause = (ms = 150) => act(() => new Promise((resolve) => setTimeout(resolve, ms)));

export const item = (id: string) => ({ id, message: 'hi', type: 'info' });
