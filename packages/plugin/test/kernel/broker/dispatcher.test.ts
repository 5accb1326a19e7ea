import { BrokerDispatcher, type Outcome } from '@kernel/core/broker';
import { RequestContextService } from '@kernel/core/request-context';

describe('BrokerDispatcher', () => {
  const dispatcher = new BrokerDispatcher(
    new Map([['x', async () => undefined]]),
    new RequestContextService(),
  );
  const handle = async (id: string): Promise<string> => {
    const outcomes: Outcome[] = [];
    const decode = () => ({ pattern: 'x', data: {} });
    await dispatcher.handle(decode, { id, redelivered: false }, (outcome) => {
      outcomes.push(outcome);
    });
    return outcomes.map(({ kind }) => kind).join();
  };

  // Taken out: the bound of what is remembered.
  it('recognises duplicates among the last ten thousand events, and remembers no more', async () => {
    expect(await handle('first')).toBe('done');
    for (let i = 0; i < 9_999; i++) await handle(String(i));
    expect(await handle('first')).toBe('duplicate');
    await handle('one more');
    expect(await handle('first')).toBe('done');
    expect(await handle('9998')).toBe('duplicate');
  });
});
