import { cleanup, render } from '@testing-library/react';
import { act, createElement, type ComponentType } from 'react';
import { vi } from 'vitest';
import { startServer } from '../../../react/test/realtime-server.js';

type Modules = Record<string, () => Promise<unknown>>;

const stores: Modules = import.meta.glob('@host/apps/web/src/stores/auth.store.ts');
const first = <T>(found: Modules): Promise<T> => Object.values(found)[0]!() as Promise<T>;

/**
 * Shows a component of the documentation in a page of its own, to a user who signs in then.
 *
 * @param components the module that holds it
 * @param fetch the API of the page
 */
export async function showSignedIn(
  components: Modules,
  name: string,
  fetch: unknown,
  user: string,
) {
  const server = await startServer();
  vi.resetModules();
  vi.stubEnv('NEXT_PUBLIC_REALTIME_URL', server.url);
  vi.stubGlobal('fetch', fetch);
  const store = await first<{
    useAuthStore: { getState(): { setAccessToken: (accessToken: string | null) => void } };
  }>(stores);
  const { setAccessToken } = store.useAuthStore.getState();
  const component = (await first<Record<string, ComponentType>>(components))[name]!;
  render(createElement(component));
  act(() => setAccessToken(user));
  return {
    server,
    setAccessToken,
    async end(): Promise<void> {
      act(() => setAccessToken(null));
      cleanup();
      vi.unstubAllGlobals();
      vi.unstubAllEnvs();
      await server.close();
    },
  };
}
