import { useAuthStore } from '../../stores/auth.store';

/** What your own sign-in does, once you have one; null signs out. */
export function signIn(accessToken: string | null): void {
  useAuthStore.getState().setAccessToken(accessToken);
}

export const useSignedIn = (): boolean =>
  useAuthStore((state) => Boolean(state.accessToken));
