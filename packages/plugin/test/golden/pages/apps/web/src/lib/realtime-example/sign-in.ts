import { useAuthStore } from '../../stores/auth.store';

/** What your own sign-in does, once you have one; null signs out. */
export function signIn(accessToken: string | null): void {
  useAuthStore.setState({ accessToken });
}

export const useSignedIn = (): boolean =>
  useAuthStore((state) => Boolean(state.accessToken));
