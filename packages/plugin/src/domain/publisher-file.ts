import { parse as parseJsonc } from 'jsonc-parser';
import * as z from 'zod/mini';
import { withoutBom } from './domain-file.js';
import { RealtimeError } from './errors.js';
import { parseWith } from './zod.js';

const makeSchema = () => z.strictObject({ app: z.string(), skipTests: z.optional(z.boolean()) });

/** Content of `realtime.publisher.json`: an app that publishes the events of every domain. */
export type PublisherFile = Readonly<z.infer<ReturnType<typeof makeSchema>>>;

/**
 * Parses the text of a publisher file.
 *
 * @param source the file's path, for messages
 * @throws RealtimeError RT006
 */
export function parsePublisherFile(source: string, text: string): PublisherFile {
  const result = parseWith(makeSchema(), parseJsonc(withoutBom(text)));
  if ('data' in result) return result.data;
  throw new RealtimeError(
    'RT006',
    `${source} is no valid publisher file, { "app": "orders" } with "skipTests" if you like:\n${result.issues
      .map(({ path, message }) => `  ${path.join(' > ') || '(top level)'}: ${message}`)
      .join('\n')}`,
  );
}
