import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isBrokerHandler } from '../src/broker/broker-event';
import { requireSingleCopy } from '../src/copies';
import { isAckFilter } from '../src/events/client-event';
import { connectionRefusal, isRealtimeException } from '../src/handshake/realtime.errors';
import { VERSION } from '../src/version';
import { PACKAGE } from './support/aliases.js';
import { Stack } from './support/stack.js';

const COPIES = Symbol.for('@nx-realtime/nest:copies');
const copies = Reflect.get(globalThis, COPIES) as Map<string, string>;
const OTHER = '/app/node_modules/legacy/node_modules/@nx-realtime/nest/dist';

afterEach(() => void copies.delete(OTHER));

describe('a second copy of the kernel in the process', () => {
  it('is refused at boot, in one line with both versions and folders', async () => {
    expect([...copies]).toEqual([[join(PACKAGE, 'src'), VERSION]]);
    expect(requireSingleCopy).not.toThrow();
    copies.set(OTHER, '0.0.9');
    await expect(Stack.start()).rejects.toThrow(
      `@nx-realtime/nest is loaded 2 times: ${VERSION} (${dirname(join(PACKAGE, 'src/x'))}), 0.0.9 (${OTHER}).`,
    );
    expect(requireSingleCopy).toThrow(/^[^\n]*$/);
  });

  it('has the same marks, so that its exceptions, filters and handlers count', () => {
    const mark = (name: string): symbol => Symbol.for(`@nx-realtime/nest:${name}`);
    const foreign = Object.assign(new Error('Blocked'), {
      [mark('exception')]: true,
      code: 'FORBIDDEN',
    });
    expect(isRealtimeException(foreign)).toBe(true);
    expect(connectionRefusal(foreign).data.code).toBe('FORBIDDEN');
    expect(isRealtimeException(new Error('Blocked'))).toBe(false);
    const ForeignFilter = Object.assign(class {}, { [mark('ack-filter')]: true });
    expect([isAckFilter(ForeignFilter), isAckFilter(class {})]).toEqual([true, false]);
    const handler = async () => undefined;
    const extras = { [mark('broker-event')]: true };
    expect(isBrokerHandler('x', handler as never, true, extras)).toBe(true);
    expect(isBrokerHandler('x', handler as never, true, { realtime: true })).toBe(false);
  });
});
