import { domainNames, eventPascal } from '../domain/index.js';
import type { DomainNames } from '../domain/index.js';

/** Events of Socket.IO itself. */
export const SYSTEM_EVENTS: ReadonlySet<string> = new Set([
  'connect',
  'connection',
  'connect_error',
  'disconnect',
  'disconnecting',
  'error',
  'exception',
  'newListener',
  'removeListener',
]);

/**
 * An event's name in the grammar: `notification:created` is `notification.created`, `newMessage`
 * belongs to its domain, as `chat.newMessage`.
 */
export function eventName(name: string, { camel }: DomainNames): string {
  const parts = name
    .split(/[.:/]+/)
    .map(word)
    .filter((part) => part !== '');
  const [first = 'event', ...rest] = parts;
  if (rest.length === 0) return `${camel}.${first}`;
  if (first === 'realtime') return [camel, ...rest].join('.');
  return parts.join('.');
}

/** `new-message`, `NEW_MESSAGE` and `new message` are `newMessage`. */
function word(text: string): string {
  const pieces = text.split(/[^A-Za-z0-9]+/).filter((piece) => piece !== '');
  const isLoud = pieces.length > 0 && text === text.toUpperCase();
  const joined = pieces
    .map((piece) => (isLoud ? piece.toLowerCase() : piece))
    .map((piece, index) => (index === 0 ? piece : piece.charAt(0).toUpperCase() + piece.slice(1)))
    .join('');
  return /^[0-9]/.test(joined) ? `e${joined}` : joined;
}

/** The name, or the next like it whose types no other event has. */
export function freeName(name: string, taken: readonly string[], verb: string): string {
  const isTaken = (candidate: string): boolean =>
    taken.some((other) => eventPascal(other) === eventPascal(candidate));
  if (!isTaken(name)) return name;
  const at = name.lastIndexOf('.') + 1;
  const last = name.slice(at);
  const base = `${name.slice(0, at)}${verb}${last.charAt(0).toUpperCase()}${last.slice(1)}`;
  let candidate = base;
  for (let count = 2; isTaken(candidate); count += 1) candidate = `${base}${count}`;
  return candidate;
}

/** True if a namespace, a class, a file or an event's prefix is called as the domain is. */
export function isNameOf(text: string, names: DomainNames): boolean {
  const plain = text.replace(/^\/+/, '').replace(/(?:Ws|WebSocket|Socket|Realtime)$/i, '');
  try {
    return domainNames(plain.replaceAll('.', '-').replaceAll('/', '-')).pascal === names.pascal;
  } catch {
    return false;
  }
}
