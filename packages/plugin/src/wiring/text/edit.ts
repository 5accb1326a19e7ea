/**
 * What an edit of a text came to. `unable` changes nothing and says what to paste, and where: the
 * shape of the file was not recognised.
 */
export type Edit =
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'already' }
  | { readonly kind: 'unable'; readonly snippet: string };

export const done = (text: string): Edit => ({ kind: 'done', text });
export const already: Edit = { kind: 'already' };
export const unable = (snippet: string): Edit => ({ kind: 'unable', snippet });

/** The line ending that a text uses. */
export const eolOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');
