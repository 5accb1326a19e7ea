import { expect, it, vi } from 'vitest';
import { withJsExtensions } from './extensions.js';

vi.mock('../host/parser.js', () => ({ loadParser: () => null }));

it('says what to install where the parser of an ES module cannot be loaded', () => {
  expect(() => withJsExtensions("import { a } from './a';\n")).toThrow(
    expect.objectContaining({
      code: 'RT056',
      message: expect.stringMatching(/^RT056 oxc-parser .* install the packages again/),
    }),
  );
});
