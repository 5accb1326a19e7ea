import { describe, expect, it } from 'vitest';
import { addModuleImport } from './index.js';
import { crlf, doneTwice } from '../../../test/support/wiring-edits.js';

const WANTED = { symbol: 'RealtimeModule', from: '../realtime/realtime.module' };
const NEST = "import { Module } from '@nestjs/common';\n";
const OURS = "import { RealtimeModule } from '../realtime/realtime.module';\n";

const edit = (text: string) => addModuleImport(text, WANTED);
const decorated = (options: string): string =>
  `${NEST}\n@Module(${options})\nexport class AppModule {}\n`;
const wired = (options: string): string =>
  `${NEST}${OURS}\n@Module(${options})\nexport class AppModule {}\n`;

describe('addModuleImport', () => {
  it.each<[string, string, string]>([
    ['no options', '', '{ imports: [RealtimeModule] }'],
    ['empty options', '{}', '{ imports: [RealtimeModule] }'],
    [
      'no imports',
      '{\n  providers: [A],\n}',
      '{\n  imports: [RealtimeModule],\n  providers: [A],\n}',
    ],
    [
      'no imports, with a comment above the first key',
      '{\n  // ours\n  providers: [A],\n}',
      '{\n  imports: [RealtimeModule],\n  // ours\n  providers: [A],\n}',
    ],
    [
      'no imports, in one line',
      '{ providers: [A] }',
      '{ imports: [RealtimeModule], providers: [A] }',
    ],
    ['only a comment', '{\n  // later\n}', '{\n  // later\n  imports: [RealtimeModule]\n}'],
    ['an empty list', '{\n  imports: [],\n}', '{\n  imports: [RealtimeModule],\n}'],
    ['an empty list over lines', '{ imports: [\n  ] }', '{ imports: [RealtimeModule] }'],
    [
      'a list that holds only a comment',
      '{\n  imports: [\n    // none yet\n  ],\n}',
      '{\n  imports: [\n    // none yet\n    RealtimeModule\n  ],\n}',
    ],
    [
      'a list that holds only a block comment',
      '{ imports: [/* none */] }',
      '{ imports: [/* none */ RealtimeModule] }',
    ],
    ['one line', '{ imports: [A, B] }', '{ imports: [A, B, RealtimeModule] }'],
    ['one line with a trailing comma', '{ imports: [A, ] }', '{ imports: [A, RealtimeModule, ] }'],
    [
      'lines with a trailing comma',
      '{\n  imports: [\n    A,\n    B,\n  ],\n}',
      '{\n  imports: [\n    A,\n    B,\n    RealtimeModule,\n  ],\n}',
    ],
    [
      'lines without a trailing comma',
      '{\n  imports: [\n    A,\n    B\n  ]\n}',
      '{\n  imports: [\n    A,\n    B,\n    RealtimeModule\n  ]\n}',
    ],
    [
      'lines with tabs',
      '{\n\timports: [\n\t\tA,\n\t],\n}',
      '{\n\timports: [\n\t\tA,\n\t\tRealtimeModule,\n\t],\n}',
    ],
    [
      'comments with commas in them',
      '{\n  imports: [\n    A, // a, the first\n    B /* b, too */ // last\n    // C,\n  ],\n}',
      '{\n  imports: [\n    A, // a, the first\n    B, /* b, too */ // last\n    // C,\n    RealtimeModule\n  ],\n}',
    ],
    [
      'a call over lines as the last element',
      '{\n  imports: [\n    ConfigModule.forRoot({\n      isGlobal: true,\n    }),\n  ],\n}',
      '{\n  imports: [\n    ConfigModule.forRoot({\n      isGlobal: true,\n    }),\n    RealtimeModule,\n  ],\n}',
    ],
    [
      'a call over lines in a list of one line',
      '{\n  imports: [ConfigModule.forRoot({\n    isGlobal: true,\n  })],\n}',
      '{\n  imports: [ConfigModule.forRoot({\n    isGlobal: true,\n  }), RealtimeModule],\n}',
    ],
    ['a spread', '{ imports: [...shared] }', '{ imports: [...shared, RealtimeModule] }'],
    ['a quoted key', "{ 'imports': [A] }", "{ 'imports': [A, RealtimeModule] }"],
    ['an assertion', '{ imports: [A] as any[] }', '{ imports: [A, RealtimeModule] as any[] }'],
    ['parentheses', '({ imports: [(A)] })', '({ imports: [(A), RealtimeModule] })'],
    [
      'a spread beside imports',
      '{ ...base, imports: [A] }',
      '{ ...base, imports: [A, RealtimeModule] }',
    ],
  ])('adds to %s', (_, before, after) => {
    expect(doneTwice(decorated(before), edit)).toBe(wired(after));
    expect(doneTwice(crlf(decorated(before)), edit)).toBe(crlf(wired(after)));
  });

  it.each<[string, string]>([
    ['imports in a variable', decorated('{ imports: modules }')],
    ['imports in shorthand', decorated('{ imports }')],
    ['imports that are computed', decorated('{ imports: [A].concat(others) }')],
    ['options in a variable', decorated('options')],
    ['options that spread another object', decorated('{ ...base }')],
    ['no @Module', `${NEST}export class AppModule {}\n`],
    [
      "another library's @Module",
      "import { Module } from 'other';\n@Module({})\nexport class A {}\n",
    ],
    ['several modules', `${decorated('{}')}\n@Module({})\nexport class Other {}\n`],
    ['a syntax error', `${decorated('{}')}}\n`],
    ['nothing', ''],
  ])('leaves %s alone, and says what to paste where', (_, text) => {
    expect(edit(text)).toEqual({
      kind: 'unable',
      snippet: `${OURS}\n// in the imports of @Module\nRealtimeModule,`,
      reason: expect.stringMatching(/./),
    });
  });

  it('edits the class that was asked for', () => {
    const text = `${decorated('{}')}\n@Module({})\nexport class Other {}\n`;
    const named = (source: string) => addModuleImport(source, WANTED, 'Other');
    expect(doneTwice(text, named)).toContain(
      '@Module({ imports: [RealtimeModule] })\nexport class Other',
    );
    expect(addModuleImport(text, WANTED, 'Third')).toMatchObject({
      reason: expect.stringContaining('Third'),
    });
  });

  it.each<[string, string]>([
    ['an alias', "import { Module as Nest } from '@nestjs/common';\n@Nest({})\nclass A {}\n"],
    ['a namespace', "import * as common from '@nestjs/common';\n@common.Module({})\nclass A {}\n"],
    ['a default export', `${NEST}@Module({})\nexport default class {}\n`],
    ['other decorators', `${NEST}@Global()\n@Module({})\n@Audited\nexport class A {}\n`],
    ['another class', `${NEST}@Module({})\nexport class A {}\n@Injectable()\nexport class B {}\n`],
  ])('finds the module by %s', (_, text) => {
    expect(doneTwice(text, edit)).toContain('({ imports: [RealtimeModule] })');
  });

  it.each<[string, string]>([
    ['in place', wired('{ imports: [RealtimeModule] }')],
    ['configured', wired('{ imports: [RealtimeModule.forRoot()] }')],
    ['by reference', wired('{ imports: [forwardRef(() => RealtimeModule)] }')],
    [
      'under an alias',
      `${NEST}import { RealtimeModule as Live } from '@api/realtime/realtime.module';\n@Module({ imports: [Live] })\nclass A {}\n`,
    ],
    [
      'through an index',
      `${NEST}import { RealtimeModule } from '../realtime';\n@Module({ imports: [RealtimeModule] })\nclass A {}\n`,
    ],
    [
      'with an extension',
      wired('{ imports: [RealtimeModule] }').replace('realtime.module', 'realtime.module.js'),
    ],
  ])('does nothing where it is imported already: %s', (_, text) => {
    expect(edit(text)).toEqual({ kind: 'already' });
  });

  it('uses an import that is there', () => {
    const text = wired('{ imports: [] }');
    expect(doneTwice(text, edit)).toBe(wired('{ imports: [RealtimeModule] }'));
  });

  it('imports under another name where the name is taken', () => {
    const text = `${NEST}import { RealtimeModule } from './our-own';\n\n@Module({ imports: [RealtimeModule] })\nclass A {}\n`;
    const result = doneTwice(text, edit);
    expect(result).toContain(
      "import { RealtimeModule as RealtimeRealtimeModule } from '../realtime/realtime.module';\n",
    );
    expect(result).toContain('imports: [RealtimeModule, RealtimeRealtimeModule]');
  });

  it("writes the import in the file's own style", () => {
    const bare =
      '"use strict"\nimport { Module } from "@nestjs/common"\n@Module({})\nexport class A {}\n';
    expect(doneTwice(bare, edit)).toBe(
      '"use strict"\nimport { Module } from "@nestjs/common"\nimport { RealtimeModule } from "../realtime/realtime.module"\n@Module({ imports: [RealtimeModule] })\nexport class A {}\n',
    );
  });

  it('keeps a byte order mark, a hashbang and characters outside of the basic plane', () => {
    const text = `\uFEFF${NEST}// 🚀\n@Module({ imports: [A /* 🚀 */] })\nexport class AppModule {}\n`;
    expect(doneTwice(text, edit)).toBe(
      `\uFEFF${NEST}${OURS}// 🚀\n@Module({ imports: [A, RealtimeModule /* 🚀 */] })\nexport class AppModule {}\n`,
    );
  });
});
