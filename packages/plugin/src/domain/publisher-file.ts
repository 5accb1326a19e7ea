import { parse as parseJsonc } from 'jsonc-parser';
import { RealtimeError } from './errors.js';
import { loadZod } from './zod.js';

/** What `realtime.publisher.json` holds: an app that publishes the events of every domain. */
export interface PublisherFile {
  readonly app: string;
  readonly skipTests?: boolean | undefined;
}

/**
 * Parses the text of a publisher file.
 *
 * @param source the file's path, for messages
 * @throws RealtimeError RT006
 */
export function parsePublisherFile(source: string, text: string): PublisherFile {
  const z = loadZod();
  const schema = z.strictObject({ app: z.string(), skipTests: z.boolean().optional() });
  const result = schema.safeParse(parseJsonc(text));
  if (result.success) return result.data;
  throw new RealtimeError(
    'RT006',
    `${source} is no valid publisher file, { "app": "orders" } with "skipTests" if you like:\n${result.error.issues
      .map(({ path, message }) => `  ${path.join(' > ') || '(top level)'}: ${message}`)
      .join('\n')}`,
  );
}
