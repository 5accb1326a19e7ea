import { parse as parseJsonc } from 'jsonc-parser';
import type { z } from 'zod';
import { RealtimeError } from './errors.js';
import { loadZod } from './zod.js';

const makeSchema = (zod: ReturnType<typeof loadZod>) =>
  zod.strictObject({ app: zod.string(), skipTests: zod.boolean().optional() });

/** What `realtime.publisher.json` holds: an app that publishes the events of every domain. */
export type PublisherFile = Readonly<z.infer<ReturnType<typeof makeSchema>>>;

/**
 * Parses the text of a publisher file.
 *
 * @param source the file's path, for messages
 * @throws RealtimeError RT006
 */
export function parsePublisherFile(source: string, text: string): PublisherFile {
  const result = makeSchema(loadZod()).safeParse(parseJsonc(text));
  if (result.success) return result.data;
  throw new RealtimeError(
    'RT006',
    `${source} is no valid publisher file, { "app": "orders" } with "skipTests" if you like:\n${result.error.issues
      .map(({ path, message }) => `  ${path.join(' > ') || '(top level)'}: ${message}`)
      .join('\n')}`,
  );
}
