import { useAuthStore } from '../../stores/auth.store';

/** The token that connections present; null while nobody is signed in. */
export function getAccessToken(): string | null {
  return useAuthStore.getState().accessToken || null;
}

/** Calls back with each new token, null when the user has signed out. */
export function onAccessTokenChange(
  listener: (accessToken: string | null) => void,
): () => void {
  let last = getAccessToken();
  return useAuthStore.subscribe(() => {
    const accessToken = getAccessToken();
    if (accessToken === last) return;
    last = accessToken;
    listener(accessToken);
  });
}
