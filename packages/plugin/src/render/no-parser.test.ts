import { expect, it, vi } from 'vitest';
import * as parser from '../host/parser.js';
import { withJsExtensions } from './extensions.js';

it('says what to install where the parser of an ES module cannot be loaded', () => {
  vi.spyOn(parser, 'loadParser').mockReturnValue(null);
  expect(() => withJsExtensions("import { a } from './a';\n")).toThrow(
    expect.objectContaining({
      code: 'RT056',
      message: expect.stringMatching(/^RT056 oxc-parser .* install the packages again/),
    }),
  );
});
