import type { ArrayExpression, Node, ObjectExpression, ObjectProperty } from 'oxc-parser';
import { findAll, parse, unwrap } from './ast.js';
import type { Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';
import { quoteOf } from './imports.js';
import { indentAt } from './indent.js';
import { appendItem } from './list.js';
import { removeItem } from './remove.js';

/** Files that a build copies, as Nx's webpack plugin names them. */
export interface Asset {
  /** Folder; one that begins with a dot is relative to the project. */
  readonly input: string;
  readonly glob: string;
  /** Folder, relative to the output. */
  readonly output: string;
}

/** Adds an asset to the one `NxAppWebpackPlugin` of a webpack configuration. */
export function addAsset(text: string, asset: Asset): Edit {
  const stop = (reason: string): Edit =>
    unable(`// in the assets of NxAppWebpackPlugin\n${print(asset, "'")},`, reason);
  const source = parse(text, 'file.ts');
  if (typeof source === 'string') return stop(source);
  const options = pluginOptions(source);
  if (typeof options === 'string') return stop(options);
  const item = print(asset, quoteOf(source));
  const held = assetsOf(options);
  if (held === null) {
    const last = options.properties.at(-1);
    if (!last || last.type === 'SpreadElement') {
      return stop('NxAppWebpackPlugin has no option of its own at its end');
    }
    const isLined = text.slice(options.start, last.start).includes('\n');
    const gap = isLined ? `${source.eol}${indentAt(text, last.start)}` : ' ';
    source.edits.appendLeft(last.end, `,${gap}assets: [${item}]`);
    return done(source.edits.toString());
  }
  const list = unwrap(held.value);
  if (list.type !== 'ArrayExpression') return stop('its assets are not a list in place');
  if (list.elements.some((element) => element !== null && isFrom(element, asset.input))) {
    return already;
  }
  const items = list.elements.filter((element) => element !== null);
  appendItem(source, { open: list.start + 1, close: list.end - 1, items }, item);
  return done(source.edits.toString());
}

/** Takes out of the assets those that come from a folder. */
export function dropAsset(text: string, input: string): Edit {
  const source = parse(text, 'file.ts');
  const options = typeof source === 'string' ? source : pluginOptions(source);
  if (typeof source === 'string' || typeof options === 'string') return already;
  const held = assetsOf(options);
  const list = held && unwrap(held.value);
  if (list?.type !== 'ArrayExpression') return already;
  const items = (list as ArrayExpression).elements.filter((element) => element !== null);
  const item = items.find((element) => isFrom(element, input));
  if (!item) return already;
  removeItem(source, items, item);
  return done(source.edits.toString());
}

const print = ({ input, glob, output }: Asset, quote: string): string =>
  `{ ${Object.entries({ input, glob, output })
    .map(([key, value]) => `${key}: ${quote}${value}${quote}`)
    .join(', ')} }`;

const isFrom = (element: Node, input: string): boolean =>
  element.type === 'ObjectExpression' &&
  element.properties.some(
    (property) =>
      property.type === 'Property' &&
      property.value.type === 'Literal' &&
      property.value.value === input,
  );

function pluginOptions({ program }: Source): ObjectExpression | string {
  const calls = findAll(
    program,
    (node): node is Extract<Node, { type: 'NewExpression' }> =>
      node.type === 'NewExpression' &&
      node.callee.type === 'Identifier' &&
      node.callee.name === 'NxAppWebpackPlugin',
  );
  const [call] = calls;
  if (!call) return 'it does not create an NxAppWebpackPlugin';
  if (calls.length > 1) return 'it creates several of NxAppWebpackPlugin';
  const [argument] = call.node.arguments;
  const options = argument && argument.type !== 'SpreadElement' ? unwrap(argument) : undefined;
  return options?.type === 'ObjectExpression'
    ? options
    : 'the options of NxAppWebpackPlugin are not an object in place';
}

function assetsOf({ properties }: ObjectExpression): ObjectProperty | null {
  const held = properties.find(
    (property) =>
      property.type === 'Property' &&
      !property.computed &&
      ((property.key.type === 'Identifier' && property.key.name === 'assets') ||
        (property.key.type === 'Literal' && property.key.value === 'assets')),
  );
  return (held as ObjectProperty | undefined) ?? null;
}
