import type { Tree } from '@nx/devkit';
import type { Class, MethodDefinition, Node } from 'oxc-parser';
import { posix } from 'node:path';
import type { AppFacts } from '../host/index.js';
import { addModuleExport, addModuleImport, editFile, findAll } from '../wiring/index.js';
import { decoratorsOf, keyOf, textOf } from './code.js';
import type { CodeFile } from './code.js';
import type { Derived, Finding } from './derive.js';
import { parametersOf } from './values.js';

/** The generated class that hand-written code is moved to. */
export interface Target {
  readonly app: AppFacts;
  /** Its file. */
  readonly path: string;
  /** Description for messages. */
  readonly kind: 'service' | 'guard';
}

/** A hand-written class that code is moved out of. */
export interface Origin {
  readonly file: CodeFile;
  readonly node: Class;
}

/** An import that moved code needs. */
export interface Imported {
  readonly name: string;
  readonly line: string;
}

/** A provider that moved code needs, with the module that provides it. */
export interface Need {
  readonly property: string;
  readonly type: string;
  readonly symbol: string;
  readonly from: string;
  readonly module: { readonly path: string; readonly name: string };
}

/** A constructor parameter that the target can have as well; a reason where it cannot. */
export function needOf(
  derived: Derived,
  { file, node }: Origin,
  property: string,
  { app, path, kind }: Target,
): Need | string {
  const stop = `it uses this.${property}`;
  const constructor = node.body.body.find(
    (member): member is MethodDefinition =>
      member.type === 'MethodDefinition' && member.kind === 'constructor',
  );
  const found = parametersOf(constructor?.value.params ?? []).find(
    ({ name, isProperty }) => isProperty && name === property,
  );
  if (!found?.type || found.decorators.length > 0) return `${stop}, which the ${kind} has not`;
  const symbol = textOf(file, found.type).replace(/^:\s*/, '');
  const declared = /^[A-Za-z_$][\w$]*$/.test(symbol) ? derived.code.classNamed(file, symbol) : null;
  if (!declared?.node.id || derived.classes.some((one) => one.node === declared.node)) {
    return `${stop}, a ${symbol}: inject it into the ${kind}, and import its module into realtime.module.ts`;
  }
  const module = moduleOf(derived, declared.node);
  if (!module || module.path === app.module) {
    return `${stop}, and no module of its own provides ${symbol}: provide it in one that realtime.module.ts can import`;
  }
  const name = declared.node.id.name;
  const isTaken =
    posix.basename(path) === posix.basename(declared.file.path) ||
    name.toLowerCase() === `${derived.names.pascalPlural}Service`.toLowerCase();
  const type = isTaken ? `Host${name}` : name;
  return {
    property,
    type,
    symbol: name,
    from: importPath(path, declared.file.path, app),
    module,
  };
}

/** The module that lists a class among its providers. */
function moduleOf({ code }: Derived, provided: Class): Need['module'] | null {
  const name = provided.id?.name ?? '';
  for (const file of code.filesWith([name])) {
    for (const { node } of findAll(file.source.program, isClassDeclaration)) {
      const options = decoratorsOf(node).find((one) => one.name === 'Module')?.args[0];
      if (options?.type !== 'ObjectExpression' || !node.id) continue;
      for (const property of options.properties) {
        if (property.type !== 'Property' || keyOf(property.key) !== 'providers') continue;
        const list = property.value.type === 'ArrayExpression' ? property.value.elements : [];
        const isListed = list.some(
          (item) =>
            item?.type === 'Identifier' && code.declaration(file, item.name)?.node === provided,
        );
        if (isListed) return { path: file.path, name: node.id.name };
      }
    }
  }
  return null;
}

/** Import in the target of a name of the file; null where the file does not import it. */
export function importOf(
  derived: Derived,
  file: CodeFile,
  name: string,
  { app, path: from }: Target,
): Imported | string | null {
  for (const statement of file.source.program.body) {
    if (statement.type !== 'ImportDeclaration') {
      const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
      const names =
        node?.type === 'VariableDeclaration'
          ? node.declarations.map(({ id }) => keyOf(id))
          : node && 'id' in node && node.id
            ? [keyOf(node.id as Node)]
            : [];
      if (names.includes(name)) return `it uses "${name}" of its file`;
      continue;
    }
    const specifier = statement.specifiers.find(({ local }) => local.name === name);
    if (!specifier) continue;
    const module = statement.source.value;
    const target = module.startsWith('.') ? derived.code.imported(file.path, module) : null;
    if (module.startsWith('.') && !target) {
      return `it uses "${name}" of ${module}, which was not found`;
    }
    const path = target ? importPath(from, target.path, app) : module;
    const kind = statement.importKind === 'type' ? 'import type' : 'import';
    const text = textOf(file, specifier);
    const clause = specifier.type === 'ImportSpecifier' ? `{ ${text} }` : text;
    return { name, line: `${kind} ${clause} from '${path}';` };
  }
  return null;
}

/** Names that stand for a value or a type, not those of members and keys. */
export function identifiersIn(root: Node): Set<string> {
  return new Set(
    findAll(
      root,
      (node): node is Extract<Node, { type: 'Identifier' }> => node.type === 'Identifier',
    ).flatMap(({ node, ancestors }) => {
      const parent = ancestors.at(-1);
      const isMember =
        parent?.type === 'MemberExpression' && parent.property === node && !parent.computed;
      const isKey =
        parent?.type === 'Property' && parent.key === node && !parent.computed && !parent.shorthand;
      return isMember || isKey ? [] : [node.name];
    }),
  );
}

export function thisMembers(root: Node): Set<string> {
  return new Set(
    findAll(
      root,
      (node): node is Extract<Node, { type: 'ThisExpression' }> => node.type === 'ThisExpression',
    ).map(({ ancestors }) => {
      const parent = ancestors.at(-1);
      return parent?.type === 'MemberExpression' ? (keyOf(parent.property) ?? '[…]') : 'itself';
    }),
  );
}

/** Names that a method or a statement declares itself: its parameters and its variables. */
export function localNames(root: Node): Set<string> {
  const patterns = findAll(
    root,
    (node): node is Node =>
      node.type === 'VariableDeclarator' ||
      node.type === 'ArrowFunctionExpression' ||
      node.type === 'FunctionExpression' ||
      node.type === 'CatchClause',
  );
  return new Set(
    patterns.flatMap(({ node }) => {
      const roots: Node[] =
        node.type === 'VariableDeclarator'
          ? [node.id]
          : node.type === 'CatchClause'
            ? node.param
              ? [node.param]
              : []
            : 'params' in node
              ? parametersOf(node.params as Parameters<typeof parametersOf>[0]).map(
                  ({ pattern }) => pattern,
                )
              : [];
      return roots.flatMap((pattern) => boundNames(pattern));
    }),
  );
}

/** The names that a pattern binds. */
export function boundNames(pattern: Node): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        boundNames(property.type === 'Property' ? property.value : property.argument),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element ? boundNames(element) : []));
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'RestElement':
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

/** A module's path as a file of the app imports it. */
export function importPath(from: string, to: string, app: AppFacts): string {
  const path = posix.relative(posix.dirname(from), to.replace(/\.[cm]?ts$/, ''));
  return (path.startsWith('.') ? path : `./${path}`) + (app.esm ? '.js' : '');
}

/**
 * Has modules export to the realtime module what moved code needs.
 *
 * @returns the edits that could not be made
 */
export function provideNeeds(tree: Tree, needs: readonly Need[], app: AppFacts): Finding[] {
  const realtime = posix.join(app.realtimeRoot, 'realtime.module.ts');
  const bySymbol = new Map(needs.map((need) => [need.symbol, need]));
  return [...bySymbol.values()].flatMap(({ symbol, module }) => {
    const from = importPath(realtime, module.path, app);
    const edits = [
      editFile(tree, module.path, (text) => addModuleExport(text, symbol, module.name)),
      editFile(tree, realtime, (text) =>
        addModuleImport(text, { symbol: module.name, from }, 'RealtimeModule'),
      ),
    ];
    return edits.flatMap((edit) =>
      edit.kind === 'unable'
        ? [
            {
              path: edit.path,
              line: 1,
              what: `could not be edited (${edit.reason}): ${edit.snippet.replaceAll('\n', ' ')}`,
            },
          ]
        : [],
    );
  });
}

/** The line that imports a need's class, by the name that the target gives it. */
export const importLine = ({ type, symbol, from }: Need): string =>
  `import { ${type === symbol ? symbol : `${symbol} as ${type}`} } from '${from}';`;

/** Parameters of a constructor that takes the needs. */
export const parameters = (needs: readonly Need[]): string[] =>
  needs.map(({ property, type }) => `private readonly ${property}: ${type},`);

export const isClassDeclaration = (node: Node): node is Class => node.type === 'ClassDeclaration';
