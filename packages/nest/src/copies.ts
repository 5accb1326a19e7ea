import { VERSION } from './version';

/**
 * Every copy of this package that the process has loaded: version by folder.
 */
interface Copies {
  [COPIES]?: Map<string, string>;
}

const COPIES: unique symbol = Symbol.for('@nx-realtime/nest:copies');

const copies = ((globalThis as Copies)[COPIES] ??= new Map());
copies.set(__dirname, VERSION);

/**
 * Refuses to run where two copies of this package are loaded: classes of one
 * are no injection tokens for the other, so that events would go nowhere.
 *
 * @throws Error that names both versions and folders
 */
export function requireSingleCopy(): void {
  if (copies.size > 1) {
    const found = [...copies].map(([path, version]) => `${version} (${path})`);
    throw new Error(
      `@nx-realtime/nest is loaded ${copies.size} times: ${found.join(', ')}. Keep one: npm ls @nx-realtime/nest names who brings the other`,
    );
  }
}
