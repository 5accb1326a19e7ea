import { parse as parseJsonc } from 'jsonc-parser';
import { z } from 'zod';
import { RealtimeError } from './errors.js';

const publisherFileSchema = z.strictObject({ app: z.string(), skipTests: z.boolean().optional() });

/** What `realtime.publisher.json` holds: an app that publishes the events of every domain. */
export type PublisherFile = z.infer<typeof publisherFileSchema>;

/**
 * Parses the text of a publisher file.
 *
 * @param source the file's path, for messages
 * @throws RealtimeError RT006
 */
export function parsePublisherFile(source: string, text: string): PublisherFile {
  const result = publisherFileSchema.safeParse(parseJsonc(text));
  if (result.success) return result.data;
  throw new RealtimeError(
    'RT006',
    `${source} is no valid publisher file, { "app": "orders" } with "skipTests" if you like:\n${result.error.issues
      .map(({ path, message }) => `  ${path.join(' > ') || '(top level)'}: ${message}`)
      .join('\n')}`,
  );
}
