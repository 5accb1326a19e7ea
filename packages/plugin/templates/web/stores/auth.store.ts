import { create } from 'zustand';

interface AuthState {
  accessToken: string | null;
  setAccessToken: (accessToken: string | null) => void;
}

/** Kept in memory alone: any script on the page can read localStorage. */
export const useAuthStore = create<AuthState>()((set, get) => ({
  accessToken: null,
  setAccessToken: (accessToken) => {
    if (get().accessToken && !accessToken) tellOtherTabs();
    set({ accessToken });
  },
}));

/** In localStorage, which all tabs share: when one of them signed out. */
const SIGNED_OUT = 'signed-out-at';
let lastSignOut: string | null = null;

function signedOutAt(): string | null {
  try {
    return localStorage.getItem(SIGNED_OUT);
  } catch {
    return null;
  }
}

function tellOtherTabs(): void {
  try {
    localStorage.setItem(SIGNED_OUT, `${Date.now()} ${Math.random()}`);
    lastSignOut = signedOutAt();
  } catch {
    // Storage is denied: the others sign out when their token expires.
  }
}

function followOtherTabs(): void {
  const last = signedOutAt();
  if (last === lastSignOut) return;
  lastSignOut = last;
  useAuthStore.setState({ accessToken: null });
}

if (typeof window !== 'undefined') {
  lastSignOut = signedOutAt();
  window.addEventListener('storage', followOtherTabs);
  // A page that the back button brings back was not told.
  window.addEventListener('pageshow', followOtherTabs);
}
