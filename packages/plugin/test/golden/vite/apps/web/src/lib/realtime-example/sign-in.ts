/// <reference types="vite/client" />

import { useAuthStore } from '../../stores/auth.store';

/** What your own sign-in does, once you have one; null signs out. */
export function signIn(accessToken: string | null): void {
  const { accessToken: held, setAccessToken } = useAuthStore.getState();
  // The one that was refused, once more: only a change is noticed.
  if (accessToken === held) setAccessToken(null);
  setAccessToken(accessToken);
}

export const useSignedIn = (): boolean =>
  useAuthStore((state) => Boolean(state.accessToken));

/** In sessionStorage, which a reload keeps and only this tab has. */
const KEPT_TOKEN = 'realtime-example-token';

// A production build holds none of this: any script could read the token.
if (import.meta.env.DEV && typeof window !== 'undefined') {
  const kept = sessionStorage.getItem(KEPT_TOKEN);
  if (kept && !useAuthStore.getState().accessToken) signIn(kept);
  useAuthStore.subscribe(({ accessToken }) => {
    if (accessToken) sessionStorage.setItem(KEPT_TOKEN, accessToken);
    else sessionStorage.removeItem(KEPT_TOKEN);
  });
}
