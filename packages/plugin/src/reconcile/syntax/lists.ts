import type { Node } from 'oxc-parser';
import type { Part, Source } from './source.js';

/** A node that holds any number of items of its own kind, which stand beside each other. */
export interface ListPart {
  readonly part: Part;
  /** `lines`: each on lines of its own. `commas`: separated by commas. */
  readonly style: 'lines' | 'commas';
  readonly items: readonly Node[];
  /** Offsets where items could begin, and where none is any more. */
  readonly open: number;
  readonly close: number;
}

/** The node as a list, where its items may be taken by what they are, not by where they stand. */
export function listOf(part: Part): ListPart | null {
  const { source, node } = part;
  switch (node.type) {
    case 'Program':
      return { part, style: 'lines', items: node.body, open: 0, close: source.text.length };
    case 'ClassBody':
    case 'TSInterfaceBody':
      return { part, style: 'lines', items: node.body, open: node.start + 1, close: node.end - 1 };
    case 'BlockStatement':
      return node.body.length > 0 && node.body.some(isTest)
        ? { part, style: 'lines', items: node.body, open: node.start + 1, close: node.end - 1 }
        : null;
    case 'ObjectExpression':
      return {
        part,
        style: 'commas',
        items: node.properties,
        open: node.start + 1,
        close: node.end - 1,
      };
    case 'ArrayExpression': {
      const items = node.elements.filter((item) => item !== null);
      return items.length === node.elements.length
        ? { part, style: 'commas', items, open: node.start + 1, close: node.end - 1 }
        : null;
    }
    case 'ImportDeclaration': {
      const open = source.text.indexOf('{', node.start) + 1;
      const close = source.text.lastIndexOf('}', node.source.start);
      const named = node.specifiers.filter(({ type }) => type === 'ImportSpecifier');
      return open > 0 && open < node.source.start && close >= open
        ? { part, style: 'commas', items: named, open, close }
        : null;
    }
    default:
      return null;
  }
}

/**
 * Keys of items, unique in their list; the same item has the same key in every version.
 * Null where items have no names: those with the mark `~` are told by their place alone.
 */
export function keysOf({ part, items }: ListPart): string[] {
  const seen = new Map<string, number>();
  return items.map((item) => {
    const key = keyOf(item, part.source);
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 && !key.startsWith('~') ? key : `${key}#${count}`;
  });
}

function keyOf(item: Node, source: Source): string {
  const text = (node: Node): string => source.text.slice(node.start, node.end);
  switch (item.type) {
    case 'ImportDeclaration':
      return `import ${String(item.source.value)}${item.specifiers.some(({ type }) => type !== 'ImportSpecifier') ? ' whole' : ''}`;
    case 'ExportNamedDeclaration':
      return item.declaration ? keyOf(item.declaration, source) : `export ${text(item)}`;
    case 'ExportDefaultDeclaration':
      return 'export default';
    case 'ExportAllDeclaration':
      return `export ${String(item.source.value)}`;
    case 'ClassDeclaration':
    case 'FunctionDeclaration':
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
    case 'TSEnumDeclaration':
      return `named ${item.id?.type === 'Identifier' ? item.id.name : ''}`;
    case 'VariableDeclaration':
      return `named ${item.declarations.map(({ id }) => text(id).replace(/:.*/s, '')).join()}`;
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'AccessorProperty':
      return `member ${'static' in item && item.static ? 'static ' : ''}${'kind' in item && (item.kind === 'get' || item.kind === 'set') ? item.kind : ''} ${text(item.key)}`;
    case 'TSPropertySignature':
    case 'TSMethodSignature':
      return `member ${unquoted(text(item.key))}`;
    case 'Property':
      return `property ${unquoted(text(item.key))}`;
    case 'ImportSpecifier':
      return `named ${text(item.imported)} as ${item.local.name}`;
    case 'ExpressionStatement':
      return keyOfStatement(item.expression, text);
    case 'ObjectExpression': {
      const provided = item.properties.find(
        (property) => property.type === 'Property' && text(property.key) === 'provide',
      );
      return provided ? text(provided) : text(item);
    }
    case 'ArrayExpression':
      return item.elements[0] ? `tuple ${text(item.elements[0])}` : text(item);
    case 'Identifier':
    case 'Literal':
    case 'SpreadElement':
    case 'MemberExpression':
    case 'CallExpression':
      return text(item);
    default:
      return `~${item.type}`;
  }
}

function keyOfStatement(expression: Node, text: (node: Node) => string): string {
  if (expression.type === 'Literal') return `directive ${text(expression)}`;
  if (expression.type !== 'CallExpression') return '~statement';
  const [first] = expression.arguments;
  const title = first?.type === 'Literal' ? ` ${text(first)}` : '';
  return `call ${text(expression.callee)}${title}`;
}

const unquoted = (text: string): string => text.replace(/^(['"])(.*)\1$/s, '$2');

/** A call of `it`, `test` or `describe`, or of a hook around them. */
function isTest(statement: Node): boolean {
  if (statement.type !== 'ExpressionStatement') return false;
  const { expression } = statement;
  return (
    expression.type === 'CallExpression' &&
    expression.callee.type === 'Identifier' &&
    /^(?:it|test|describe|beforeEach|beforeAll|afterEach|afterAll)$/.test(expression.callee.name)
  );
}
