import type {
  CallExpression,
  JSXElement,
  JSXElementName,
  JSXFragment,
  JSXIdentifier,
  Node,
  Program,
} from 'oxc-parser';
import { findAll, isCall, parse, unwrap } from './ast.js';
import type { Found, Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';
import { ensureImport, importedAs } from './imports.js';
import type { Import } from './imports.js';
import { indentAt, indentUnit, isFirstOfLine } from './indent.js';

/** The `_app` that Next.js uses where a pages router has none. */
export const EMPTY_APP = `import type { AppProps } from 'next/app';

export default function App({ Component, pageProps }: AppProps) {
  return <Component {...pageProps} />;
}
`;

/** Mounts a component as the last child of `<body>` in the root layout of an app router. */
export function mountInLayout(text: string, wanted: Import): Edit {
  return mount(text, wanted, {
    where: 'as the last child of <body>',
    target: '<body>',
    find: ({ program }) => elements(program, (name) => isPlain(name) && name.name === 'body'),
    insert: ({ node }, source, tag) => appendChild(source, node, tag),
  });
}

/** Mounts a component beside `<Component />` in `_app` of a pages router. */
export function mountInApp(text: string, wanted: Import): Edit {
  return mount(text, wanted, {
    where: 'beside <Component {...pageProps} />',
    target: '<Component>',
    find: ({ program }) => elements(program, (name) => lastNameOf(name) === 'Component'),
    insert: addSibling,
  });
}

/** Mounts a component beside what a React app renders into its page. */
export function mountInMain(text: string, wanted: Import): Edit {
  return mount(text, wanted, {
    where: 'in what is rendered, beside <App />',
    target: 'an element in a call of render()',
    find: ({ program }) => findAll(program, isCall).flatMap(renderedBy),
    insert: (found, source, tag) =>
      takesChildren(found.node)
        ? appendChild(source, found.node, tag)
        : addSibling(found, source, tag),
  });
}

interface Place {
  /** For people: where the component belongs. */
  readonly where: string;
  /** For people: what is looked for. */
  readonly target: string;
  readonly find: (source: Source) => readonly Found<Element>[];
  /** @returns why it could not be inserted, or nothing */
  readonly insert: (found: Found<Element>, source: Source, tag: string) => string | undefined;
}

type Element = JSXElement | JSXFragment;

function mount(text: string, wanted: Import, place: Place): Edit {
  const stop = (reason: string): Edit =>
    unable(
      `import { ${wanted.symbol} } from '${wanted.from}';\n\n{/* ${place.where} */}\n<${wanted.symbol} />`,
      reason,
    );
  const source = parse(text, 'file.tsx');
  if (typeof source === 'string') return stop(source);
  const held = importedAs(source.program, wanted);
  if (held !== null && elements(source.program, (name) => lastNameOf(name) === held).length > 0) {
    return already;
  }
  const [found, ...others] = place.find(source);
  if (!found) return stop(`${place.target} was not found in it`);
  if (others.length > 0) return stop(`${place.target} is in it several times`);
  const reason = place.insert(found, source, `<${ensureImport(source, wanted)} />`);
  return reason === undefined ? done(source.edits.toString()) : stop(reason);
}

/** The element that `root.render(...)`, `ReactDOM.render(...)` or `hydrateRoot(...)` is given. */
function renderedBy({ node, ancestors }: Found<CallExpression>): Found<Element>[] {
  const name = node.callee.type === 'MemberExpression' ? node.callee.property : node.callee;
  const called = name.type === 'Identifier' ? name.name : null;
  const argument =
    called === 'render' ? node.arguments[0] : called === 'hydrateRoot' ? node.arguments[1] : null;
  if (!argument || argument.type === 'SpreadElement') return [];
  const element = unwrap(argument);
  const isElementInPlace = element.type === 'JSXElement' || element.type === 'JSXFragment';
  return isElementInPlace ? [{ node: element, ancestors: [...ancestors, node] }] : [];
}

function appendChild(
  { text, edits, eol }: Source,
  parent: Element,
  tag: string,
): string | undefined {
  const { children } = parent;
  const [opening, closing] =
    parent.type === 'JSXElement'
      ? [parent.openingElement, parent.closingElement]
      : [parent.openingFragment, parent.closingFragment];
  const attributes = 'attributes' in opening ? opening.attributes : [];
  const ownContent = attributes.some(
    ({ type, ...attribute }) =>
      type === 'JSXAttribute' &&
      'name' in attribute &&
      ['children', 'dangerouslySetInnerHTML'].includes(String(attribute.name.name)),
  );
  if (!closing || ownContent)
    return `${text.slice(opening.start, opening.end)} has no children in place`;
  const indent = indentAt(text, parent.start);
  const inner = childIndent(text, children) ?? indent + indentUnit(text);
  const content = text.slice(opening.end, closing.start);
  const hasText = children.some((child) => child.type === 'JSXText' && child.value.trim() !== '');
  if (isFirstOfLine(text, closing.start)) {
    const end = opening.end + content.trimEnd().length;
    edits.appendLeft(end, `${eol}${inner}${tag}`);
  } else if (hasText || content.includes('\n')) {
    // White space beside text is shown, so no line is broken here.
    edits.appendLeft(closing.start, tag);
  } else {
    if (content !== '') edits.appendLeft(opening.end, `${eol}${inner}`);
    edits.appendLeft(closing.start, `${eol}${inner}${tag}${eol}${indent}`);
  }
  return undefined;
}

/** In a fragment, unless the parent takes any number of children: a DOM element or a fragment. */
function addSibling({ node, ancestors }: Found<Element>, source: Source, tag: string): undefined {
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

/** A fragment, a DOM element or StrictMode: what renders any number of children, none of them its own. */
function takesChildren(node: Node): boolean {
  if (node.type === 'JSXFragment') return true;
  if (node.type !== 'JSXElement') return false;
  const { name } = node.openingElement;
  if (isPlain(name) && /^[a-z]/.test(name.name)) return true;
  return ['StrictMode', 'Fragment'].includes(lastNameOf(name) ?? '');
}

function childIndent(text: string, children: JSXElement['children']): string | null {
  const child = children.findLast(
    ({ type, start }) => type !== 'JSXText' && isFirstOfLine(text, start),
  );
  return child ? indentAt(text, child.start) : null;
}

function elements(
  program: Program,
  isWanted: (name: JSXElementName) => boolean,
): Found<JSXElement>[] {
  return findAll(program, isElement).filter(({ node }) => isWanted(node.openingElement.name));
}

/** `Component` of `<Component>` and of `<props.Component>`. */
function lastNameOf(name: JSXElementName): string | null {
  if (isPlain(name)) return name.name;
  return name.type === 'JSXMemberExpression' ? name.property.name : null;
}

function isPlain(name: JSXElementName): name is JSXIdentifier {
  return name.type === 'JSXIdentifier';
}

function isElement(node: Node): node is JSXElement {
  return node.type === 'JSXElement';
}
