import type { Tree } from '@nx/devkit';
import type { MethodDefinition, Node } from 'oxc-parser';
import { isDeepStrictEqual } from 'node:util';
import { eventPascal, toDomainFile } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { findAll, parse } from '../wiring/index.js';
import { decoratorsOf, keyOf, lineOf, textOf } from './code.js';
import type { Derived, Finding, Handler } from './derive.js';
import type { HandWritten } from './hand-written.js';
import {
  identifiersIn,
  importLine,
  importOf,
  isClassDeclaration,
  localNames,
  needOf,
  parameters,
  provideNeeds,
  thisMembers,
} from './moved-code.js';
import type { Imported, Need, Target } from './moved-code.js';
import { parametersOf } from './values.js';

/** A handler's body, ready for the service, or why it cannot be. */
type Moved =
  | { readonly reason: string }
  | {
      readonly handler: Handler;
      readonly imports: readonly Imported[];
      readonly needs: readonly Need[];
    };

/**
 * Moves the bodies of hand-written handlers into the service's methods, as far as they mean the same
 * there; what they need is injected, from modules that export it to the realtime module.
 *
 * @param gone classes that no longer answer themselves
 * @returns the handlers that were left where they are, each with the reason
 */
export function moveHandlers(
  tree: Tree,
  derived: Derived,
  gone: readonly HandWritten[],
  domain: Domain,
  target: Target,
): Finding[] {
  const { path: service } = target;
  const left: Finding[] = [];
  const moved: Exclude<Moved, { reason: string }>[] = [];
  for (const handler of derived.handlers) {
    if (!gone.includes(handler.written)) continue;
    const one = tree.exists(service)
      ? !isAsDerived(derived, domain, handler.event)
        ? { reason: 'its payload was given, and is not the one that it takes' }
        : bodyOf(derived, handler, target)
      : { reason: 'the domain has no service' };
    if (!('reason' in one)) {
      moved.push(one);
      continue;
    }
    const { file } = handler.written;
    left.push({
      path: file.path,
      line: lineOf(file, handler.node),
      what: `handled ${handler.event}, and was not moved to ${service}: ${one.reason}`,
    });
  }
  if (moved.length === 0) return left;
  const edited = writeService(tree.read(service, 'utf-8') ?? '', moved);
  if (edited === null) {
    return [
      ...left,
      ...moved.map(({ handler }) => ({
        path: handler.written.file.path,
        line: lineOf(handler.written.file, handler.node),
        what: `handled ${handler.event}, and was not moved to ${service}: that is not as it was generated`,
      })),
    ];
  }
  tree.write(service, edited);
  const needs = moved.flatMap((one) => one.needs);
  return [...left, ...provideNeeds(tree, needs, target.app)];
}

/** True if an event is stated as the code had it, not as its owner gave it. */
function isAsDerived({ file }: Derived, domain: Domain, event: string): boolean {
  const stated = toDomainFile(domain, '').clientEvents?.[event];
  return isDeepStrictEqual(stated, file.clientEvents?.[event]);
}

function bodyOf(derived: Derived, handler: Handler, target: Target): Moved {
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
    const need = needOf(derived, written, property, target);
    if (typeof need === 'string') return { reason: need };
    needs.push(need);
  }
  const imports: Imported[] = [];
  const local = localNames(node);
  for (const name of names) {
    if (local.has(name)) continue;
    const imported = importOf(derived, file, name, target);
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

/** True for a guard that, by its name, is about who asks and nothing else. */
export const isAuthentication = (guard: string): boolean =>
  /jwt|auth(?!or)|token/i.test(guard) &&
  !/role|permission|admin|owner|policy|polic|scope/i.test(guard);

/** The service with these bodies in its methods; null where it is not as it was generated. */
function writeService(
  text: string,
  moved: readonly Exclude<Moved, { reason: string }>[],
): string | null {
  const source = parse(text, 'file.ts');
  if (typeof source === 'string') return null;
  const { program, edits, eol } = source;
  const service = findAll(program, isClassDeclaration)[0]?.node;
  const lastImport = program.body.findLast(({ type }) => type === 'ImportDeclaration');
  if (!service || !lastImport) return null;
  for (const { handler } of moved) {
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
    moved.flatMap(({ needs: all }) => all.map((need) => [need.property, need] as const)),
  );
  const held = new Set(
    program.body.flatMap((statement) =>
      statement.type === 'ImportDeclaration'
        ? statement.specifiers.map(({ local }) => local.name)
        : [],
    ),
  );
  const lines = new Map<string, string>();
  for (const { imports } of moved)
    for (const { name, line } of imports) if (!held.has(name)) lines.set(name, line);
  for (const need of needs.values()) lines.set(need.type, importLine(need));
  for (const line of lines.values()) edits.appendLeft(lastImport.end, `${eol}${line}`);
  if (needs.size > 0) {
    const params = parameters([...needs.values()]).map((one) => `${eol}    ${one}`);
    edits.appendLeft(
      service.body.start + 1,
      `${eol}  constructor(${params.join('')}${eol}  ) {}${eol}`,
    );
  }
  return edits.toString();
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
