import type { CallExpression, Class, Expression, Node, ObjectExpression } from 'oxc-parser';
import { findAll, isClass, isWrapper, unwrap } from '../wiring/index.js';
import type { Unknown } from './finding.js';
import { keyOf } from './sources.js';
import type { Declared, SourceFile, Sources } from './sources.js';

/** Classes that an app's module brings in, by their keys. */
export interface Reach {
  readonly modules: ReadonlySet<string>;
  readonly providers: ReadonlySet<string>;
  readonly controllers: ReadonlySet<string>;
  /** Places where more may be brought in than can be seen. */
  readonly unknown: readonly Unknown[];
}

type Lists = Record<'imports' | 'providers' | 'controllers', Node[]>;

/** Follows the imports of an app's root module. */
export function reachOf(sources: Sources, root: Declared<Class>): Reach {
  const modules = new Set<string>();
  const listed = { providers: new Set<string>(), controllers: new Set<string>() };
  const unknown: Unknown[] = [];
  const queue: Declared<Class>[] = [root];
  const queueModule = (declared: Declared): void => {
    if (isClass(declared.node)) queue.push({ file: declared.file, node: declared.node });
  };

  for (let item = queue.pop(); item; item = queue.pop()) {
    const { file, node } = item;
    const key = keyOf({ file, node });
    if (modules.has(key)) continue;
    modules.add(key);
    const unclear = (what: string): void => void unknown.push({ path: file.path, what });
    for (const metadata of metadataOf(node)) {
      const lists = listsOf(sources, file, metadata, unclear);
      for (const element of lists.imports) {
        readImport(sources, file, element, queueModule, unclear);
      }
      for (const list of ['providers', 'controllers'] as const) {
        for (const element of lists[list]) {
          const held = classOf(sources, file, element);
          if (held === 'lost') unclear(`what ${list} hold cannot be seen`);
          else if (held !== 'external') listed[list].add(keyOf(held));
        }
      }
    }
  }
  return { modules, ...listed, unknown };
}

/** One entry of `imports`: a module, `forwardRef(() => Module)`, or `Module.forRoot(...)` with what it is given. */
function readImport(
  sources: Sources,
  file: SourceFile,
  element: Node,
  add: (declared: Declared) => void,
  unclear: (what: string) => void,
): void {
  const node = bare(element);
  if (node.type === 'ConditionalExpression') {
    for (const branch of [node.consequent, node.alternate]) {
      readImport(sources, file, branch, add, unclear);
    }
    return;
  }
  const names =
    node.type === 'Identifier'
      ? [node.name]
      : node.type === 'CallExpression' || node.type === 'ObjectExpression'
        ? identifiersIn(node)
        : [];
  if (names.length === 0) unclear('an entry of imports cannot be followed');
  for (const name of names) {
    const declared = sources.declaration(file, name);
    if (declared === 'lost') {
      // A local variable among the arguments of forRoot() names no module.
      if (name === names[0] && name !== 'forwardRef') unclear(`${name} cannot be followed`);
    } else if (declared !== 'external') {
      if (!isClass(declared.node) && name === names[0]) unclear(`${name} is made by code`);
      add(declared);
    }
  }
}

/** The object of `@Module()`, and those that its static methods return. */
function metadataOf(node: Class): ObjectExpression[] {
  const decorated = decoratorOf(node, 'Module')?.arguments[0];
  const own = decorated && bare(decorated);
  const made = node.body.body.flatMap((member) =>
    member.type === 'MethodDefinition' && member.static
      ? findAll(member, isObject).map((found) => found.node)
      : [],
  );
  return [
    ...(own?.type === 'ObjectExpression' ? [own] : []),
    ...made.filter((object) => entryOf(object, 'module')),
  ];
}

function listsOf(
  sources: Sources,
  file: SourceFile,
  metadata: ObjectExpression,
  unclear: (what: string) => void,
): Lists {
  const lists: Lists = { imports: [], providers: [], controllers: [] };
  if (metadata.properties.some(({ type }) => type === 'SpreadElement')) {
    unclear('metadata of a module is spread from elsewhere');
  }
  for (const name of ['imports', 'providers', 'controllers'] as const) {
    const value = entryOf(metadata, name);
    if (value)
      lists[name].push(
        ...elementsOf(sources, file, value, () => unclear(`${name} is made by code`)),
      );
  }
  return lists;
}

function elementsOf(sources: Sources, file: SourceFile, value: Node, unclear: () => void): Node[] {
  const node = bare(value);
  if (node.type === 'Identifier') {
    const declared = sources.declaration(file, node.name);
    // Its entries are named in the file of the list: only there can they be followed.
    if (typeof declared !== 'string' && declared.file === file && declared.node !== value) {
      return elementsOf(sources, file, declared.node, unclear);
    }
  }
  if (node.type !== 'ArrayExpression') {
    unclear();
    return [];
  }
  return node.elements.flatMap((element) =>
    element === null
      ? []
      : element.type === 'SpreadElement'
        ? elementsOf(sources, file, element.argument, unclear)
        : [element],
  );
}

/** The class that a provider or a controller is. */
function classOf(
  sources: Sources,
  file: SourceFile,
  element: Node,
): Declared<Class> | 'external' | 'lost' {
  const node = bare(element);
  if (node.type === 'ObjectExpression') {
    const made = entryOf(node, 'useClass') ?? entryOf(node, 'useExisting');
    return made ? classOf(sources, file, made) : 'external';
  }
  if (node.type !== 'Identifier') return 'lost';
  const declared = sources.declaration(file, node.name);
  if (typeof declared === 'string') return declared;
  if (isClass(declared.node)) return { file: declared.file, node: declared.node };
  return declared.node.type === 'ObjectExpression'
    ? classOf(sources, declared.file, declared.node)
    : 'lost';
}

/** The call of a decorator. */
export function decoratorOf(
  node: { readonly decorators?: readonly { readonly expression: Expression }[] },
  ...names: string[]
): CallExpression | undefined {
  return (node.decorators ?? [])
    .map(({ expression }) => expression)
    .find(
      (expression): expression is CallExpression =>
        expression.type === 'CallExpression' &&
        expression.callee.type === 'Identifier' &&
        names.includes(expression.callee.name),
    );
}

/** The classes that a file declares. */
export function classesIn(file: SourceFile): Class[] {
  return findAll(file.program, isClass).map(({ node }) => node);
}

/** The value of a property. */
export function entryOf(object: ObjectExpression, name: string): Expression | undefined {
  for (const property of object.properties) {
    if (property.type !== 'Property' || property.computed) continue;
    const { key } = property;
    if (
      key.type === 'Identifier' ? key.name === name : key.type === 'Literal' && key.value === name
    ) {
      return unwrap(property.value);
    }
  }
  return undefined;
}

function bare(node: Node): Node {
  if (node.type === 'AwaitExpression') return bare(node.argument);
  return isWrapper(node) ? bare(node.expression) : node;
}

function isObject(node: Node): node is ObjectExpression {
  return node.type === 'ObjectExpression';
}

function identifiersIn(root: Node): string[] {
  const isName = (node: Node): node is Node & { name: string } => node.type === 'Identifier';
  return findAll(root, isName)
    .filter(({ node, ancestors }) => {
      const parent = ancestors.at(-1);
      return !(
        (parent?.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
        (parent?.type === 'Property' && parent.key === node && parent.value !== node)
      );
    })
    .map(({ node }) => node.name);
}
