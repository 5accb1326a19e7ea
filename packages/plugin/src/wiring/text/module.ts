import type { Expression, ObjectExpression, ObjectProperty } from 'oxc-parser';
import { findAll, isClass, mentions, parse, unwrap } from './ast.js';
import type { Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';
import { ensureImport, importedAs, referenceTo } from './imports.js';
import type { Import } from './imports.js';
import { appendItem } from './list.js';
import { indentAt } from './indent.js';

const MODULE: Import = { symbol: 'Module', from: '@nestjs/common' };

/**
 * Adds a module to the `imports` of a class that `@Module` decorates.
 *
 * @param className of several such classes the one to edit; not needed where there is only one
 */
export function addModuleImport(text: string, wanted: Import, className?: string): Edit {
  const stop = (reason: string): Edit =>
    unable(
      `import { ${wanted.symbol} } from '${wanted.from}';\n\n// in the imports of @Module\n${wanted.symbol},`,
      reason,
    );
  const source = parse(text, 'file.ts');
  if (typeof source === 'string') return stop(source);
  const options = moduleOptions(source, className);
  if (typeof options === 'string') return stop(options);
  const held = importedAs(source.program, wanted);
  if (options.object === null) {
    const symbol = ensureImport(source, wanted);
    source.edits.appendLeft(options.at, `{ imports: [${symbol}] }`);
    return done(source.edits.toString());
  }
  const imports = listProperty(options.object, 'imports');
  if (imports === null) {
    if (options.object.properties.some(({ type }) => type === 'SpreadElement')) {
      return stop('@Module spreads another object, which may hold its imports');
    }
    addProperty(source, options.object, ensureImport(source, wanted));
    return done(source.edits.toString());
  }
  const list = unwrap(imports.value);
  if (held !== null && mentions(list, held)) return already;
  if (list.type !== 'ArrayExpression')
    return stop('the imports of @Module are not a list in place');
  const items = list.elements.filter((element) => element !== null);
  const symbol = ensureImport(source, wanted);
  appendItem(source, { open: list.start + 1, close: list.end - 1, items }, symbol);
  return done(source.edits.toString());
}

/** The options of `@Module`, or where they would be; a string says why there are none to edit. */
type Options =
  { readonly object: ObjectExpression } | { readonly object: null; readonly at: number };

function moduleOptions({ program }: Source, className: string | undefined): Options | string {
  const isModule = referenceTo(program, MODULE);
  const calls = findAll(program, isClass).flatMap(({ node }) =>
    node.decorators.flatMap(({ expression }) =>
      expression.type === 'CallExpression' &&
      isModule(expression.callee) &&
      (className === undefined || node.id?.name === className)
        ? [expression]
        : [],
    ),
  );
  const [call] = calls;
  if (!call)
    return `no class ${className === undefined ? '' : `${className} `}is decorated with @Module()`;
  if (calls.length > 1) return 'several classes are decorated with @Module()';
  const [argument] = call.arguments;
  if (!argument) return { object: null, at: call.end - 1 };
  const object = argument.type === 'SpreadElement' ? null : unwrap(argument);
  return object?.type === 'ObjectExpression'
    ? { object }
    : 'the options of @Module are not an object in place';
}

/** Adds a class of the file to the `exports` of its module. */
export function addModuleExport(text: string, symbol: string, className: string): Edit {
  const stop = (reason: string): Edit => unable(`// in the exports of @Module\n${symbol},`, reason);
  const source = parse(text, 'file.ts');
  if (typeof source === 'string') return stop(source);
  const options = moduleOptions(source, className);
  if (typeof options === 'string') return stop(options);
  if (options.object === null) return stop('@Module has no options');
  const held = listProperty(options.object, 'exports');
  if (held === null) {
    const last = options.object.properties.at(-1);
    if (!last || last.type === 'SpreadElement')
      return stop('@Module has no property of its own at its end');
    const isLined = text.slice(options.object.start, last.start).includes('\n');
    const gap = isLined ? `${source.eol}${indentAt(text, last.start)}` : ' ';
    source.edits.appendLeft(last.end, `,${gap}exports: [${symbol}]`);
    return done(source.edits.toString());
  }
  const list = unwrap(held.value);
  if (list.type !== 'ArrayExpression')
    return stop('the exports of @Module are not a list in place');
  if (mentions(list, symbol)) return already;
  const items = list.elements.filter((element) => element !== null);
  appendItem(source, { open: list.start + 1, close: list.end - 1, items }, symbol);
  return done(source.edits.toString());
}

function listProperty(
  object: ObjectExpression,
  name: 'imports' | 'exports',
): (ObjectProperty & { value: Expression }) | null {
  const properties = object.properties.filter(
    ({ type }) => type === 'Property',
  ) as ObjectProperty[];
  return (
    properties.find(
      ({ key, computed }) =>
        (!computed && key.type === 'Identifier' && key.name === name) ||
        (key.type === 'Literal' && key.value === name),
    ) ?? null
  );
}

/** Adds it as the first property, where Nest's own schematics write it. */
function addProperty(source: Source, object: ObjectExpression, symbol: string): void {
  const { text, edits, eol } = source;
  const [first] = object.properties;
  const property = `imports: [${symbol}]`;
  if (!first) {
    const list = { open: object.start + 1, close: object.end - 1, items: [] };
    const isBare = text.slice(list.open, list.close).trim() === '';
    if (isBare) edits.update(object.start, object.end, `{ ${property} }`);
    else appendItem(source, list, property);
  } else if (text.slice(object.start, first.start).includes('\n')) {
    edits.appendLeft(object.start + 1, `${eol}${indentAt(text, first.start)}${property},`);
  } else {
    edits.appendLeft(first.start, `${property}, `);
  }
}
