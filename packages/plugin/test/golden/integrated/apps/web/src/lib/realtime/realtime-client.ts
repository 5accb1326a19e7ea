import { createRealtime } from '@nx-realtime/react';
import { useAuthStore } from '../../stores/auth.store';

/** The one connection of this app, with the token of the auth store. */
export const realtime = createRealtime({
  // The values at build time: they are compiled into the browser's code.
  url: process.env.NEXT_PUBLIC_REALTIME_URL,
  apiUrl: process.env.NEXT_PUBLIC_API_URL,
  urlVariable: 'NEXT_PUBLIC_REALTIME_URL',
  token: {
    get: () => useAuthStore.getState().accessToken,
    subscribe: useAuthStore.subscribe,
  },
});
