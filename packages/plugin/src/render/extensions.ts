import MagicString from 'magic-string';
import { parseSync } from 'oxc-parser';

/** Adds `.js` to the relative imports of a TypeScript module, as an ESM package needs it. */
export function withJsExtensions(source: string): string {
  const { module } = parseSync('module.ts', source);
  const text = new MagicString(source);
  const requests = [
    ...module.staticImports.map((statement) => statement.moduleRequest),
    ...module.staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => entry.moduleRequest ?? []),
    ),
  ];
  for (const request of new Map(requests.map((found) => [found.start, found])).values()) {
    if (request.value.startsWith('.')) text.appendLeft(request.end - 1, '.js');
  }
  return text.toString();
}
