import type { Tree } from '@nx/devkit';
import type { Class, MethodDefinition, Node } from 'oxc-parser';
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { eventPascal, toDomainFile } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import type { AppFacts } from '../host/index.js';
import { addModuleExport, addModuleImport, editFile, findAll, parse } from '../wiring/index.js';
import { decoratorsOf, keyOf, lineOf, textOf } from './code.js';
import type { CodeFile } from './code.js';
import type { Derived, Finding, Handler } from './derive.js';
import type { HandWritten } from './hand-written.js';
import { parametersOf } from './values.js';

/** A handler's body, ready for the service, or why it cannot be. */
type Carried =
  | { readonly reason: string }
  | {
      readonly handler: Handler;
      readonly imports: readonly Imported[];
      readonly needs: readonly Need[];
    };

interface Imported {
  readonly name: string;
  readonly line: string;
}

/** Something that the service is given, with the module that provides it. */
interface Need {
  readonly property: string;
  readonly type: string;
  readonly symbol: string;
  readonly from: string;
  readonly module: { readonly path: string; readonly name: string };
}

/** Where bodies go: the generated service of a domain. */
export interface Target {
  readonly app: AppFacts;
  readonly domain: Domain;
  readonly service: string;
}

/**
 * Moves the bodies of hand-written handlers into the service's methods, as far as they mean the same
 * there; what they need is injected, from modules that export it to the realtime module.
 *
 * @param gone classes that no longer answer themselves
 * @returns the handlers that were left where they are, each with the reason
 */
export function carryHandlers(
  tree: Tree,
  derived: Derived,
  gone: readonly HandWritten[],
  { app, domain, service }: Target,
): Finding[] {
  const left: Finding[] = [];
  const carried: Exclude<Carried, { reason: string }>[] = [];
  for (const handler of derived.handlers) {
    if (!gone.includes(handler.written)) continue;
    const one = tree.exists(service)
      ? !isAsDerived(derived, domain, handler.event)
        ? { reason: 'its payload was given, and is not the one that it takes' }
        : carry(derived, handler, app, service)
      : { reason: 'the domain has no service' };
    if (!('reason' in one)) {
      carried.push(one);
      continue;
    }
    const { file } = handler.written;
    left.push({
      path: file.path,
      line: lineOf(file, handler.node),
      what: `handled ${handler.event}, and was not moved to ${service}: ${one.reason}`,
    });
  }
  if (carried.length === 0) return left;
  const edited = writeService(tree.read(service, 'utf-8') ?? '', carried);
  if (edited === null) {
    return [
      ...left,
      ...carried.map(({ handler }) => ({
        path: handler.written.file.path,
        line: lineOf(handler.written.file, handler.node),
        what: `handled ${handler.event}, and was not moved to ${service}: that is not as it was generated`,
      })),
    ];
  }
  tree.write(service, edited);
  const realtime = posix.join(app.realtimeRoot, 'realtime.module.ts');
  const needs = new Map(
    carried.flatMap(({ needs: all }) => all.map((need) => [need.symbol, need] as const)),
  );
  for (const { symbol, module } of needs.values()) {
    const from = importPath(realtime, module.path, app);
    const edits = [
      editFile(tree, module.path, (text) => addModuleExport(text, symbol, module.name)),
      editFile(tree, realtime, (text) =>
        addModuleImport(text, { symbol: module.name, from }, 'RealtimeModule'),
      ),
    ];
    for (const edit of edits) {
      if (edit.kind !== 'unable') continue;
      left.push({
        path: edit.path,
        line: 1,
        what: `could not be edited (${edit.reason}): ${edit.snippet.replaceAll('\n', ' ')}`,
      });
    }
  }
  return left;
}

/** Whether an event is stated as the code had it, not as its owner gave it. */
function isAsDerived({ file }: Derived, domain: Domain, event: string): boolean {
  const stated = toDomainFile(domain, '').clientEvents?.[event];
  return isDeepStrictEqual(stated, file.clientEvents?.[event]);
}

function carry(derived: Derived, handler: Handler, app: AppFacts, service: string): Carried {
  const { written, node } = handler;
  const { file } = written;
  const body = node.value.body;
  if (!body) return { reason: 'it has no body' };
  const decorator = [...decoratorsOf(written.node), ...decoratorsOf(node)].find(({ name, args }) =>
    name === 'UseGuards'
      ? args.some((guard) => !isAuthentication(textOf(file, guard)))
      : !REPLACED.has(name),
  );
  if (decorator)
    return {
      reason: `${textOf(file, decorator.node)} is not in the generated gateway: do in the service what it does`,
    };
  if (!handler.exact) {
    return {
      reason:
        'its payload is not, type by type, what the contract states (a Date is text on the wire, the tenant comes from identity.tenantId)',
    };
  }
  const returned = node.value.returnType ? textOf(file, node.value.returnType) : '';
  if (/Observable|WsResponse/.test(returned) || returnsEvent(body)) {
    return {
      reason:
        'what it returns is sent as an event, or as several: return what is to be acknowledged',
    };
  }
  const names = identifiersIn(body);
  for (const { name, decorators } of parametersOf(node.value.params)) {
    const isPayload = decorators.some((one) => one.name === 'MessageBody');
    if (name === null || isPayload || !names.has(name) || handler.pattern.includes(name)) continue;
    return { reason: `it uses "${name}", which the service has not: who asks is in "identity"` };
  }
  const needs: Need[] = [];
  for (const property of thisMembers(body)) {
    const need = needOf(derived, written, property, app, service);
    if (typeof need === 'string') return { reason: need };
    needs.push(need);
  }
  const imports: Imported[] = [];
  const local = localNames(node);
  for (const name of names) {
    if (local.has(name)) continue;
    const imported = importOf(derived, file, name, app, service);
    if (typeof imported === 'string') return { reason: imported };
    if (imported) imports.push(imported);
  }
  return { handler, imports, needs };
}

/** Decorators that the generated gateway has its own of, or that say what the contract says. */
const REPLACED: ReadonlySet<string> = new Set([
  'WebSocketGateway',
  'SubscribeMessage',
  'UsePipes',
  'UseFilters',
  'Injectable',
]);

const isAuthentication = (guard: string): boolean =>
  /jwt|auth(?!or)|token/i.test(guard) &&
  !/role|permission|admin|owner|policy|polic|scope/i.test(guard);

/** A constructor parameter that the service can have as well. */
function needOf(
  derived: Derived,
  { file, node }: HandWritten,
  property: string,
  app: AppFacts,
  service: string,
): Need | string {
  const stop = `it uses this.${property}`;
  const constructor = node.body.body.find(
    (member): member is MethodDefinition =>
      member.type === 'MethodDefinition' && member.kind === 'constructor',
  );
  const found = parametersOf(constructor?.value.params ?? []).find(
    ({ name, isProperty }) => isProperty && name === property,
  );
  if (!found?.type || found.decorators.length > 0) return `${stop}, which the service has not`;
  const symbol = textOf(file, found.type).replace(/^:\s*/, '');
  const declared = /^[A-Za-z_$][\w$]*$/.test(symbol) ? derived.code.classNamed(file, symbol) : null;
  if (!declared?.node.id || derived.classes.some((one) => one.node === declared.node)) {
    return `${stop}, a ${symbol}: inject it into the service, and import its module into realtime.module.ts`;
  }
  const module = moduleOf(derived, declared.node);
  if (!module || module.path === app.module) {
    return `${stop}, and no module of its own provides ${symbol}: provide it in one that realtime.module.ts can import`;
  }
  const name = declared.node.id.name;
  const isTaken =
    posix.basename(service) === posix.basename(declared.file.path) ||
    name.toLowerCase() === `${derived.names.pascalPlural}Service`.toLowerCase();
  const type = isTaken ? `Host${name}` : name;
  return {
    property,
    type,
    symbol: name,
    from: importPath(service, declared.file.path, app),
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

/** How the service imports what a name of the file means; null for what is no import of it. */
function importOf(
  derived: Derived,
  file: CodeFile,
  name: string,
  app: AppFacts,
  service: string,
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
    const from = statement.source.value;
    const target = from.startsWith('.') ? derived.code.imported(file.path, from) : null;
    if (from.startsWith('.') && !target) return `it uses "${name}" of ${from}, which was not found`;
    const path = target ? importPath(service, target.path, app) : from;
    const kind = statement.importKind === 'type' ? 'import type' : 'import';
    const text = textOf(file, specifier);
    const clause = specifier.type === 'ImportSpecifier' ? `{ ${text} }` : text;
    return { name, line: `${kind} ${clause} from '${path}';` };
  }
  return null;
}

/** The service with these bodies in its methods; null where it is not as it was generated. */
function writeService(
  text: string,
  carried: readonly Exclude<Carried, { reason: string }>[],
): string | null {
  const source = parse(text, 'file.ts');
  if (typeof source === 'string') return null;
  const { program, edits, eol } = source;
  const service = findAll(program, isClassDeclaration)[0]?.node;
  const lastImport = program.body.findLast(({ type }) => type === 'ImportDeclaration');
  if (!service || !lastImport) return null;
  for (const { handler } of carried) {
    const pascal = eventPascal(handler.event);
    const method = service.body.body.find((member): member is MethodDefinition => {
      if (member.type !== 'MethodDefinition') return false;
      const [first] = parametersOf(member.value.params);
      return (
        first?.type !== null &&
        first !== undefined &&
        text.slice(first.type.start, first.type.end).endsWith(` ${pascal}`)
      );
    });
    const body = handler.node.value.body;
    if (!method || !body) return null;
    const key = text.slice(method.key.start, method.key.end);
    const identity = identifiersIn(body).has('identity') ? 'caller' : '_identity';
    edits.update(
      method.start,
      method.end,
      `async ${key}(${eol}    ${handler.pattern}: ${pascal},${eol}    ${identity}: RealtimeIdentity,${eol}  ) ${textOf(handler.written.file, body)}`,
    );
  }
  const needs = new Map(
    carried.flatMap(({ needs: all }) => all.map((need) => [need.property, need] as const)),
  );
  const held = new Set(
    program.body.flatMap((statement) =>
      statement.type === 'ImportDeclaration'
        ? statement.specifiers.map(({ local }) => local.name)
        : [],
    ),
  );
  const lines = new Map<string, string>();
  for (const { imports } of carried)
    for (const { name, line } of imports) if (!held.has(name)) lines.set(name, line);
  for (const { type, symbol, from } of needs.values()) {
    lines.set(
      type,
      `import { ${type === symbol ? symbol : `${symbol} as ${type}`} } from '${from}';`,
    );
  }
  for (const line of lines.values()) edits.appendLeft(lastImport.end, `${eol}${line}`);
  if (needs.size > 0) {
    const params = [...needs.values()].map(
      ({ property, type }) => `${eol}    private readonly ${property}: ${type},`,
    );
    edits.appendLeft(
      service.body.start + 1,
      `${eol}  constructor(${params.join('')}${eol}  ) {}${eol}`,
    );
  }
  return edits.toString();
}

/** Names that stand for a value or a type, not those of members and keys. */
function identifiersIn(root: Node): Set<string> {
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

function thisMembers(root: Node): Set<string> {
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

/** Names that a method declares itself: its parameters and its variables. */
function localNames(method: MethodDefinition): Set<string> {
  const patterns = findAll(
    method,
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
      return roots.flatMap((root) => boundBy(root));
    }),
  );
}

function boundBy(pattern: Node): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        boundBy(property.type === 'Property' ? property.value : property.argument),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element ? boundBy(element) : []));
    case 'AssignmentPattern':
      return boundBy(pattern.left);
    case 'RestElement':
      return boundBy(pattern.argument);
    default:
      return [];
  }
}

function returnsEvent(body: Node): boolean {
  const returns = findAll(
    body,
    (node): node is Extract<Node, { type: 'ReturnStatement' }> => node.type === 'ReturnStatement',
  );
  return returns.some(({ node }) => {
    const keys =
      node.argument?.type === 'ObjectExpression'
        ? node.argument.properties.flatMap((property) =>
            property.type === 'Property' ? [keyOf(property.key)] : [],
          )
        : [];
    return keys.includes('event') && keys.includes('data');
  });
}

function importPath(from: string, to: string, app: AppFacts): string {
  const path = posix.relative(posix.dirname(from), to.replace(/\.[cm]?ts$/, ''));
  return (path.startsWith('.') ? path : `./${path}`) + (app.esm ? '.js' : '');
}

const isClassDeclaration = (node: Node): node is Class => node.type === 'ClassDeclaration';
