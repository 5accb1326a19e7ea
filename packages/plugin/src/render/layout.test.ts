import { describe, expect, it } from 'vitest';
import { breakBraces, layOut } from './layout.js';

const long = 'x'.repeat(60);

describe('layOut', () => {
  it.each([
    ['a call', 'f(\n  a,\n  b,\n);', 'f(a, b);'],
    ['an import', "import {\n  a,\n  type B,\n} from 'c';", "import { a, type B } from 'c';"],
    ['a nested list', 'f(\n  g([\n    a,\n  ]),\n);', 'f(g([a]));'],
    ['an assignment', "const a =\n  'b';", "const a = 'b';"],
    ['an arrow', 'const a = () =>\n  b(\n    c,\n  );', 'const a = () => b(c);'],
    ['a call chain', 'a\n  .b(\n    c,\n  )\n  .d();', 'a.b(c).d();'],
    ['an empty object', 'f({\n});', 'f({});'],
    ['an empty list', '[\n];', '[];'],
  ])('puts %s on one line where it fits', (_, broken, joined) => {
    expect(layOut(broken)).toBe(joined);
  });

  it.each([
    ['a list', `f(\n  ${long},\n  ${long},\n);`],
    ['an object', 'f({\n  a,\n});'],
    ['an object that begins with a spread', 'const a = {\n  ...b,\n  c,\n};'],
    ['a list with a block', 'f(a, () => {\n  b();\n});'],
    ['properties of a constructor', 'constructor(\n  private readonly a: A,\n  b: B,\n) {}'],
    ['a comment', '/**\n * a (\n *   b\n * )\n */'],
    ['statements', 'const a = 1;\n\nconst b = 2;'],
  ])('leaves %s', (_, code) => {
    expect(layOut(code)).toBe(code);
  });

  it('breaks the list in a value before it puts the value below its name', () => {
    expect(layOut(`const a =\n  f(\n    ${long},\n    ${long},\n  );`)).toBe(
      `const a = f(\n  ${long},\n  ${long},\n);`,
    );
  });

  it('puts a value below its name where the name leaves no room', () => {
    const code = `const ${long} =\n  callOfTheValue(a);`;
    expect(layOut(code)).toBe(code);
  });

  it('counts 80 columns as fitting, and 81 as not', () => {
    const call = (length: number): string => `f(\n  ${'x'.repeat(length)},\n);`;
    expect(layOut(call(76))).toHaveLength(80);
    expect(layOut(call(77))).toBe(call(77));
  });
});

describe('breakBraces', () => {
  it('breaks an import that has become too long, if it has several names', () => {
    const several = `import { a, type B } from './${'x'.repeat(46)}.js';`;
    const one = `import { a } from './${long}/${long}.js';`;
    expect(several).toHaveLength(80);
    expect(breakBraces(several)).toBe(several);
    expect(breakBraces(several.replace('x', 'xx'))).toBe(
      `import {\n  a,\n  type B,\n} from './${'x'.repeat(47)}.js';`,
    );
    expect(breakBraces(one)).toBe(one);
  });
});
