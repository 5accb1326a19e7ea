import type { JSXElement, Node } from 'oxc-parser';
import { findAll, parse } from './ast.js';
import type { Found, Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';
import { ensureImport, importedAs } from './imports.js';
import type { Import } from './imports.js';
import { indentAt, indentUnit, isFirstOfLine } from './indent.js';

/** Mounts a component as the last child of `<body>` in the root layout of an app router. */
export function mountInLayout(text: string, wanted: Import): Edit {
  return mount(text, wanted, 'body', 'as the last child of <body>', ({ node }, source, tag) =>
    appendChild(source, node, tag),
  );
}

/** Mounts a component beside `<Component />` in `_app` of a pages router. */
export function mountInApp(text: string, wanted: Import): Edit {
  return mount(text, wanted, 'Component', 'beside <Component {...pageProps} />', addSibling);
}

/** @returns why it could not be inserted, or nothing */
type Insert = (found: Found<JSXElement>, source: Source, tag: string) => string | undefined;

function mount(text: string, wanted: Import, beside: string, where: string, insert: Insert): Edit {
  const stop = (reason: string): Edit =>
    unable(
      `import { ${wanted.symbol} } from '${wanted.from}';\n\n{/* ${where} */}\n<${wanted.symbol} />`,
      reason,
    );
  const source = parse(text, 'file.tsx');
  if (typeof source === 'string') return stop(source);
  const held = importedAs(source.program, wanted);
  if (held !== null && elements(source, held).length > 0) return already;
  const [found, ...others] = elements(source, beside);
  if (!found) return stop(`it renders no <${beside}>`);
  if (others.length > 0) return stop(`it renders <${beside}> in several places`);
  const reason = insert(found, source, `<${ensureImport(source, wanted)} />`);
  return reason === undefined ? done(source.edits.toString()) : stop(reason);
}

function appendChild(
  { text, edits, eol }: Source,
  body: JSXElement,
  tag: string,
): string | undefined {
  const { openingElement, closingElement, children } = body;
  const ownContent = openingElement.attributes.some(
    ({ type, ...attribute }) =>
      type === 'JSXAttribute' &&
      'name' in attribute &&
      ['children', 'dangerouslySetInnerHTML'].includes(String(attribute.name.name)),
  );
  if (!closingElement || ownContent) return '<body> has no children in place';
  const indent = indentAt(text, body.start);
  const inner = childIndent(text, children) ?? indent + indentUnit(text);
  const content = text.slice(openingElement.end, closingElement.start);
  const hasText = children.some((child) => child.type === 'JSXText' && child.value.trim() !== '');
  if (isFirstOfLine(text, closingElement.start)) {
    const end = openingElement.end + content.trimEnd().length;
    edits.appendLeft(end, `${eol}${inner}${tag}`);
  } else if (hasText || content.includes('\n')) {
    // White space beside text is shown, so no line is broken here.
    edits.appendLeft(closingElement.start, tag);
  } else {
    if (content !== '') edits.appendLeft(openingElement.end, `${eol}${inner}`);
    edits.appendLeft(closingElement.start, `${eol}${inner}${tag}${eol}${indent}`);
  }
  return undefined;
}

/** In a fragment, unless the parent takes any number of children: a DOM element or a fragment. */
function addSibling(
  { node, ancestors }: Found<JSXElement>,
  source: Source,
  tag: string,
): undefined {
  const { text, edits, eol } = source;
  const parent = ancestors.at(-1);
  const indent = indentAt(text, node.start);
  if (parent && takesChildren(parent)) {
    const gap = isFirstOfLine(text, node.start) ? `${eol}${indent}` : '';
    edits.appendLeft(node.end, `${gap}${tag}`);
    return;
  }
  const isBare = parent?.type === 'ReturnStatement' || parent?.type === 'ArrowFunctionExpression';
  const unit = indentUnit(text);
  const outer = isBare ? indent + unit : indent;
  const inner = outer + unit;
  const [before, after] = isBare ? [`(${eol}${outer}`, `${eol}${indent})`] : ['', ''];
  edits.appendLeft(node.start, `${before}<>${eol}${inner}`);
  edits.appendLeft(node.end, `${eol}${inner}${tag}${eol}${outer}</>${after}`);
}

function takesChildren(node: Node): boolean {
  if (node.type === 'JSXFragment') return true;
  if (node.type !== 'JSXElement') return false;
  const { name } = node.openingElement;
  return name.type === 'JSXIdentifier' && /^[a-z]/.test(name.name);
}

function childIndent(text: string, children: JSXElement['children']): string | null {
  const child = children.findLast(
    ({ type, start }) => type !== 'JSXText' && isFirstOfLine(text, start),
  );
  return child ? indentAt(text, child.start) : null;
}

function elements({ program }: Source, name: string): Found<JSXElement>[] {
  return findAll(program, isElement).filter(({ node: { openingElement } }) => {
    const tag = openingElement.name;
    return tag.type === 'JSXIdentifier' && tag.name === name;
  });
}

function isElement(node: Node): node is JSXElement {
  return node.type === 'JSXElement';
}
