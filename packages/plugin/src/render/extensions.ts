import MagicString from 'magic-string';
import { parseSync } from 'oxc-parser';
import { breakBraces } from './layout.js';

/** Adds `.js` to the relative imports of a TypeScript module, as an ESM package needs it. */
export function withJsExtensions(source: string): string {
  const { module } = parseSync('module.ts', source);
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
