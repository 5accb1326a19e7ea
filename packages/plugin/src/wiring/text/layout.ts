import type { JSXElement, Node } from 'oxc-parser';
import { addImport, findAll, indentAt, indentUnit, localName, parse } from './ast.js';
import type { Import, Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';

/** Mounts a component as the last child of `<body>` in the root layout of an app router. */
export function mountInLayout(text: string, wanted: Import): Edit {
  return mount(text, wanted, 'as the last child of <body>', (source, tag) => {
    const body = only(source, 'body');
    if (!body?.node.closingElement) return false;
    appendChild(source, body.node, tag);
    return true;
  });
}

/** Mounts a component beside `<Component/>` in `_app` of a pages router. */
export function mountInApp(text: string, wanted: Import): Edit {
  return mount(text, wanted, 'beside <Component {...pageProps} />', (source, tag) => {
    const page = only(source, 'Component');
    if (!page) return false;
    const { edits, eol } = source;
    const indent = indentAt(source.text, page.node.start);
    const parent = page.ancestors.at(-1);
    if (parent?.type === 'JSXElement' || parent?.type === 'JSXFragment') {
      edits.appendLeft(page.node.end, `${eol}${indent}${tag}`);
    } else {
      const inner = indent + indentUnit(source.text);
      edits.appendLeft(page.node.start, `<>${eol}${inner}`);
      edits.appendLeft(page.node.end, `${eol}${inner}${tag}${eol}${indent}</>`);
    }
    return true;
  });
}

function mount(
  text: string,
  wanted: Import,
  where: string,
  insert: (source: Source, tag: string) => boolean,
): Edit {
  const paste = unable(
    `import { ${wanted.symbol} } from '${wanted.from}';\n\nand ${where}: <${wanted.symbol} />`,
  );
  const source = parse(text, 'file.tsx');
  if (!source) return paste;
  const symbol = localName(source.program, wanted.symbol) ?? wanted.symbol;
  if (elements(source, symbol).length > 0) return already;
  if (!insert(source, `<${symbol} />`)) return paste;
  addImport(source, wanted);
  return done(source.edits.toString());
}

function appendChild({ text, edits, eol }: Source, parent: JSXElement, tag: string): void {
  const { openingElement, closingElement, children } = parent;
  if (!closingElement) return;
  const content = text.slice(openingElement.end, closingElement.start);
  const hasText = children.some((child) => child.type === 'JSXText' && child.value.trim() !== '');
  const indent = indentAt(text, parent.start);
  const inner = indent + indentUnit(text);
  if (/\n[ \t]*$/.test(content)) {
    const end = closingElement.start - (/[ \t]*$/.exec(content)?.[0].length ?? 0);
    edits.appendLeft(end, `${inner}${tag}${eol}`);
  } else if (hasText || content.includes('\n')) {
    // White space between text and elements is shown: nothing is moved.
    edits.appendLeft(closingElement.start, tag);
  } else {
    const gap = content.trim() === '' ? '' : `${eol}${inner}`;
    edits.appendLeft(openingElement.end, gap);
    edits.appendLeft(closingElement.start, `${eol}${inner}${tag}${eol}${indent}`);
  }
}

type Found = { node: JSXElement; ancestors: readonly Node[] };

function only(source: Source, name: string): Found | undefined {
  const found = elements(source, name);
  return found.length === 1 ? found[0] : undefined;
}

function elements({ program }: Source, name: string): Found[] {
  return findAll(program, isElement).filter(({ node: { openingElement } }) => {
    const tag = openingElement.name;
    return tag.type === 'JSXIdentifier' && tag.name === name;
  });
}

function isElement(node: Node): node is JSXElement {
  return node.type === 'JSXElement';
}
