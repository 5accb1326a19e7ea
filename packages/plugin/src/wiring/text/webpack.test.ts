import { describe, expect, it } from 'vitest';
import { addAsset, dropAsset } from './index.js';
import { crlf, doneTwice } from '../../../test/support/wiring-edits.js';

const ASSET = { input: '../../packed', glob: 'a-*.tgz', output: 'packed' };
const OURS = "{ input: '../../packed', glob: 'a-*.tgz', output: 'packed' }";
const config = (options: string): string =>
  `const { NxAppWebpackPlugin } = require('@nx/webpack/app-plugin');\nmodule.exports = {\n  plugins: [new NxAppWebpackPlugin(${options})],\n};\n`;
const edit = (text: string) => addAsset(text, ASSET);

describe('addAsset', () => {
  it.each([
    ['beside another', "{ assets: ['./src/assets'] }", `{ assets: ['./src/assets', ${OURS}] }`],
    ['to an empty list', '{ assets: [] }', `{ assets: [${OURS}] }`],
    ['where there is none', "{ target: 'node' }", `{ target: 'node', assets: [${OURS}] }`],
    [
      'on a line of its own',
      "{\n    target: 'node',\n    main: './m.ts'\n  }",
      `{\n    target: 'node',\n    main: './m.ts',\n    assets: [${OURS}]\n  }`,
    ],
  ])('adds it %s, once, and takes it out again', (_, before, after) => {
    expect(doneTwice(config(before), edit)).toBe(config(after));
    expect(doneTwice(crlf(config(before)), edit)).toBe(crlf(config(after)));
    const dropped = dropAsset(config(after), ASSET.input);
    expect(dropped).toMatchObject({
      kind: 'done',
      text: config(before.includes('assets') ? before : after.replace(OURS, '')),
    });
  });

  it.each([
    ['another plugin', 'module.exports = { plugins: [new Other({})] };\n', /does not create/],
    ['options from elsewhere', config('options'), /not an object in place/],
    ['assets from elsewhere', config('{ assets: shared }'), /not a list in place/],
    ['options that another object completes', config('{ ...shared }'), /of its own at its end/],
    ['two plugins', config("{}), new NxAppWebpackPlugin({ target: 'web' }"), /several/],
    ['a file that does not parse', 'module.exports = {', /does not parse/],
  ])('says what to paste for %s', (_, text, reason) => {
    expect(edit(text)).toEqual({
      kind: 'unable',
      snippet: `// in the assets of NxAppWebpackPlugin\n${OURS},`,
      reason: expect.stringMatching(reason),
    });
    expect(dropAsset(text, ASSET.input)).toEqual({ kind: 'already' });
  });
});
