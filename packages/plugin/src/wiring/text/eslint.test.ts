import { describe, expect, it } from 'vitest';
import { addEslintIgnore } from './index.js';
import { crlf, doneTwice } from '../../../test/support/wiring-edits.js';

const edit = (text: string) => addEslintIgnore(text, '.nx-realtime/**');
const OURS = "{ ignores: ['.nx-realtime/**'] }";

describe('addEslintIgnore', () => {
  it.each<[string, string, string]>([
    [
      'a default export',
      'export default [\n  a,\n  b,\n];\n',
      `export default [\n  a,\n  b,\n  ${OURS},\n];\n`,
    ],
    [
      "Nx's own config",
      "import nx from '@nx/eslint-plugin';\nexport default [\n    ...nx.configs['flat/base'],\n    {\n        // Override or add rules here\n        rules: {}\n    }\n];\n",
      `import nx from '@nx/eslint-plugin';\nexport default [\n    ...nx.configs['flat/base'],\n    {\n        // Override or add rules here\n        rules: {}\n    },\n    ${OURS}\n];\n`,
    ],
    ['an empty list', 'export default [];\n', `export default [${OURS}];\n`],
    [
      'CommonJS',
      'const a = require("a");\nmodule.exports = [a];\n',
      `const a = require("a");\nmodule.exports = [a, ${OURS}];\n`,
    ],
    [
      'a variable',
      'const config = [a];\nexport default config;\n',
      `const config = [a, ${OURS}];\nexport default config;\n`,
    ],
    [
      'a typed list',
      'export default [a] satisfies Linter.Config[];\n',
      `export default [a, ${OURS}] satisfies Linter.Config[];\n`,
    ],
    [
      'typescript-eslint',
      'export default tseslint.config(\n  a,\n  b,\n);\n',
      `export default tseslint.config(\n  a,\n  b,\n  ${OURS},\n);\n`,
    ],
    [
      'defineConfig with a list',
      'export default defineConfig([\n  a,\n]);\n',
      `export default defineConfig([\n  a,\n  ${OURS},\n]);\n`,
    ],
    [
      'defineConfig with arguments',
      'module.exports = defineConfig(a, b);\n',
      `module.exports = defineConfig(a, b, ${OURS});\n`,
    ],
  ])('adds to %s', (_, before, after) => {
    expect(doneTwice(before, edit)).toBe(after);
    expect(doneTwice(crlf(before), edit)).toBe(crlf(after));
  });

  it("writes the file's own quotes", () => {
    expect(doneTwice('import a from "a";\nexport default [a];\n', edit)).toContain(
      '{ ignores: [".nx-realtime/**"] }',
    );
  });

  it.each([
    'export default antfu({});\n',
    'export default await load();\n',
    'export const a = 1;\n',
    'export default [',
    '',
  ])('leaves alone: %j', (text) => {
    expect(edit(text)).toEqual({
      kind: 'unable',
      snippet: `// as an element of the exported list\n${OURS},`,
      reason: expect.stringMatching(/./),
    });
  });
});
