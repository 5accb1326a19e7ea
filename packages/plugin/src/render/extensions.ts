import MagicString from 'magic-string';
import { RealtimeError } from '../domain/index.js';
import { loadParser } from '../host/index.js';
import { breakBraces } from './layout.js';

/**
 * Adds `.js` to the relative imports of a TypeScript module, as an ESM package needs it.
 *
 * @throws RealtimeError RT056 without a parser
 */
export function withJsExtensions(source: string): string {
  const parser = loadParser();
  if (!parser) {
    throw new RealtimeError(
      'RT056',
      'oxc-parser could not be loaded on this platform. An app that is an ES module is written with it: install the packages again, optional ones too.',
    );
  }
  const { module } = parser.parseSync('module.ts', source);
  const text = new MagicString(source);
  const statements = [
    ...module.staticImports.map(({ start, end, moduleRequest }) => ({ start, end, moduleRequest })),
    ...module.staticExports.map(({ start, end, entries }) => ({
      start,
      end,
      moduleRequest: entries[0]?.moduleRequest,
    })),
  ];
  for (const { start, end, moduleRequest } of statements) {
    if (!moduleRequest?.value.startsWith('.')) continue;
    const quote = moduleRequest.end - 1;
    text.update(
      start,
      end,
      breakBraces(`${source.slice(start, quote)}.js${source.slice(quote, end)}`),
    );
  }
  return text.toString();
}
