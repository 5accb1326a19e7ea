import type { ArrayExpression, Class, Node, ObjectExpression } from 'oxc-parser';
import { addImport, findAll, indentAt, indentUnit, localName, parse } from './ast.js';
import type { Import, Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';

/** Adds a module to the `imports` of the one class that `@Module` decorates. */
export function addModuleImport(text: string, wanted: Import): Edit {
  const paste = unable(
    `import { ${wanted.symbol} } from '${wanted.from}';\n\nand in the imports of @Module: ${wanted.symbol}`,
  );
  const source = parse(text, 'file.ts');
  const options = source && moduleOptions(source);
  if (!source || !options) return paste;
  const symbol = localName(source.program, wanted.symbol) ?? wanted.symbol;
  if (options.kind === 'none') {
    source.edits.appendLeft(options.at, `{ imports: [${symbol}] }`);
  } else {
    const imports = options.object.properties.find(
      (property) =>
        property.type === 'Property' &&
        property.key.type === 'Identifier' &&
        property.key.name === 'imports',
    );
    if (imports === undefined) addProperty(source, options.object, symbol);
    else if (imports.type !== 'Property' || imports.value.type !== 'ArrayExpression') return paste;
    else if (holds(imports.value, symbol)) return already;
    else addElement(source, imports.value, symbol);
  }
  addImport(source, wanted);
  return done(source.edits.toString());
}

type Options = { kind: 'none'; at: number } | { kind: 'object'; object: ObjectExpression } | null;

function moduleOptions({ program }: Source): Options {
  const decorator = localName(program, 'Module');
  const calls = findAll(program, isClass).flatMap(({ node }) =>
    node.decorators.flatMap(({ expression }) =>
      expression.type === 'CallExpression' &&
      expression.callee.type === 'Identifier' &&
      expression.callee.name === decorator
        ? [expression]
        : [],
    ),
  );
  const [call] = calls;
  if (!call || calls.length > 1) return null;
  const [argument] = call.arguments;
  if (!argument) return { kind: 'none', at: call.end - 1 };
  return argument.type === 'ObjectExpression' ? { kind: 'object', object: argument } : null;
}

function addProperty({ text, edits, eol }: Source, object: ObjectExpression, symbol: string): void {
  const [first] = object.properties;
  const property = `imports: [${symbol}]`;
  if (!first) {
    edits.overwrite(object.start, object.end, `{ ${property} }`);
  } else if (text.slice(object.start, first.start).includes('\n')) {
    edits.appendLeft(object.start + 1, `${eol}${indentAt(text, first.start)}${property},`);
  } else {
    edits.appendLeft(first.start, `${property}, `);
  }
}

function addElement({ text, edits, eol }: Source, array: ArrayExpression, symbol: string): void {
  const last = array.elements.at(-1);
  if (!last) {
    edits.appendLeft(array.end - 1, symbol);
    return;
  }
  // Between the last element and the bracket stand only a comma, comments and white space.
  const rest = text.slice(last.end, array.end - 1);
  const comma = rest.replace(/\/\*[^]*?\*\/|\/\/.*/g, '').includes(',');
  const lineEnd = rest.lastIndexOf('\n');
  if (lineEnd < 0) {
    edits.appendLeft(last.end, `, ${symbol}`);
    return;
  }
  if (!comma) edits.appendLeft(last.end, ',');
  const indent = text.slice(array.start, last.start).includes('\n')
    ? indentAt(text, last.start)
    : indentAt(text, array.start) + indentUnit(text);
  const at = last.end + (eol === '\r\n' ? lineEnd - 1 : lineEnd);
  edits.appendLeft(at, `${eol}${indent}${symbol}${comma ? ',' : ''}`);
}

function holds(array: ArrayExpression, symbol: string): boolean {
  return array.elements.some(
    (element) => element?.type === 'Identifier' && element.name === symbol,
  );
}

function isClass(node: Node): node is Class {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
}
