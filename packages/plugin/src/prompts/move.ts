import { RealtimeError } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { terminalOf } from './terminal.js';

/**
 * Asks whether a domain is to leave its app or web app for the one that was named: somebody may have meant a second
 * domain there.
 *
 * @param move the answer, where it was given
 * @throws RealtimeError RT057 where it is not to, or nobody can be asked
 */
export async function askMove(before: Domain, after: Domain, move?: boolean): Promise<void> {
  const moves = (['app', 'web'] as const).flatMap((kind) => {
    const [from, to] = [before[kind], after[kind]];
    return from === to || from === null || to === null ? [] : [`from ${from} to ${to}`];
  });
  if (moves.length === 0 || move) return;
  const what = `${before.names.pascal} moves ${moves.join(' and ')}, with your edits; nothing of it stays behind.`;
  const answer = await terminalOf('realtime-domain')?.select(what, [
    { value: 'no', label: 'Leave it where it is' },
    { value: 'yes', label: 'Move it' },
  ]);
  if (answer === 'yes') return;
  throw new RealtimeError(
    'RT057',
    `Nothing was written. ${what} Pass --move if that is meant; a second domain needs another name.`,
  );
}
