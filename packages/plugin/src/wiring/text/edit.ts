/**
 * Result of an edit of a text. `unable` changes nothing and says why, and what to paste where.
 */
export type Edit =
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'already' }
  | { readonly kind: 'unable'; readonly snippet: string; readonly reason: string };

export const done = (text: string): Edit => ({ kind: 'done', text });
export const already: Edit = { kind: 'already' };
export const unable = (snippet: string, reason: string): Edit => ({
  kind: 'unable',
  snippet,
  reason,
});

/** The line ending that a text uses. */
export const eolOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');
