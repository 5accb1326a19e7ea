/// <reference types="vite/client" />

import { createRealtime } from '@nx-realtime/react';
import { useAuthStore } from '../../stores/auth.store';

/** The one connection of this app, with the token of the auth store. */
export const realtime = createRealtime({
  // The values at build time: they are compiled into the browser's code.
  url: import.meta.env.VITE_REALTIME_URL,
  apiUrl: import.meta.env.VITE_API_URL,
  urlVariable: 'VITE_REALTIME_URL',
  token: {
    get: () => useAuthStore.getState().accessToken,
    subscribe: useAuthStore.subscribe,
  },
});
