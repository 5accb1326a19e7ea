import type { Tree } from '@nx/devkit';
import type { Class, MethodDefinition, Node, Statement } from 'oxc-parser';
import { findAll, parse } from '../wiring/index.js';
import type { Source } from '../wiring/index.js';
import { decoratorsOf, hasProperty, keyOf, lineOf, optionsOf, textOf } from './code.js';
import type { CodeFile } from './code.js';
import type { Derived, Finding } from './derive.js';
import type { HandWritten } from './hand-written.js';
import { isAuthentication } from './move-handlers.js';
import {
  boundNames,
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
import type { Need, Target } from './moved-code.js';
import { canActivateOf, readGuard } from './read-guard.js';
import type { GuardRules } from './read-guard.js';
import { parametersOf } from './values.js';

/** A guard of a gateway that generated code takes the place of. */
interface Guard {
  readonly file: CodeFile;
  readonly node: Class;
  readonly name: string;
}

/** A guard's own code, as it stands in the generated guard. */
interface Moved {
  readonly identify: {
    readonly parameter: string;
    readonly user: string;
    readonly tenant: string;
  } | null;
  readonly claim: { readonly user: string | null; readonly tenant: string | null };
  readonly parameter: string;
  readonly checks: readonly { readonly node: Node; readonly text: string }[];
  readonly imports: readonly string[];
  readonly needs: readonly Need[];
  readonly left: readonly Finding[];
}

const KERNEL = '@nx-realtime/nest';
const AS_GENERATED = "return { userId: claims['sub'], tenantId: claims['tenantId'] };";

/**
 * Moves what the guards of hand-written gateways ask beside the token's validity into the generated guard: whose
 * token it is into `identify`, the rest into `check`.
 *
 * @param gone classes that no longer answer themselves
 * @param client the file that makes the browser's connection, which must read the same claims
 * @returns what has no place there, each with the reason
 */
export function moveGuardChecks(
  tree: Tree,
  derived: Derived,
  gone: readonly HandWritten[],
  target: Target,
  client: string | undefined,
): Finding[] {
  const { guards, findings } = guardsOf(derived, gone);
  return [
    ...findings,
    ...guards.flatMap((guard) => {
      const method = canActivateOf(guard.node);
      if (!method)
        return [
          finding(
            guard,
            guard.node,
            'has no canActivate of its own: what its base class asks belongs to check() of WsAuthGuard',
          ),
        ];
      const rules = readGuard(guard.file, method);
      const left = rules.left.map(({ node, why }) => finding(guard, node, why));
      if (!rules.claims) {
        return [
          ...left,
          ...rules.checks.map((node) =>
            finding(guard, node, 'is not asked any more: ask it in check() of WsAuthGuard'),
          ),
        ];
      }
      const moved = movedCode(derived, guard, rules, target);
      return [...left, ...moved.left, ...write(tree, guard, moved, target, client)];
    }),
  ];
}

const finding = ({ file, name }: Guard, node: Node, what: string): Finding => ({
  path: file.path,
  line: lineOf(file, node),
  what: `${name} ${what}`,
});

/** The classes that @UseGuards names at the gateways, and what is said of those that cannot be read. */
function guardsOf(
  { code }: Derived,
  gone: readonly HandWritten[],
): { guards: readonly Guard[]; findings: readonly Finding[] } {
  const guards = new Map<Class, Guard>();
  const findings: Finding[] = [];
  for (const { file, node, kind } of gone) {
    if (kind !== 'gateway') continue;
    const methods = node.body.body.filter(({ type }) => type === 'MethodDefinition');
    const uses = [node as Node, ...methods].flatMap((one) =>
      decoratorsOf(one)
        .filter(({ name }) => name === 'UseGuards')
        .flatMap(({ args }) => args)
        // One of a handler that is about more than who asks is told of with that handler.
        .filter((guard) => one === node || isAuthentication(textOf(file, guard))),
    );
    for (const use of uses) {
      const name = keyOf(use.type === 'NewExpression' ? use.callee : use);
      const found = name === null ? null : code.classNamed(file, name);
      if (found) guards.set(found.node, { ...found, name: found.node.id?.name ?? 'The guard' });
      else {
        findings.push({
          path: file.path,
          line: lineOf(file, use),
          what: `${textOf(file, use)} is not asked any more: what it does beside verifying a token belongs to check() of WsAuthGuard`,
        });
      }
    }
  }
  return { guards: [...guards.values()], findings };
}

function movedCode(derived: Derived, guard: Guard, rules: GuardRules, target: Target): Moved {
  const { file } = guard;
  const left: Finding[] = [];
  const imports = new Set<string>();
  const needs = new Map<string, Need>();
  const pattern = rules.claims!.pattern;
  const type = typeOf(derived, file, rules.claims!.type, target);
  if (type) type.imports.forEach((line) => imports.add(line));
  const taken =
    pattern.type === 'Identifier'
      ? pattern.name
      : textOf(file, {
          start: pattern.start,
          end:
            rules.claims!.type?.start &&
            pattern.type === 'ObjectPattern' &&
            'typeAnnotation' in pattern &&
            pattern.typeAnnotation
              ? (pattern.typeAnnotation as Node).start
              : pattern.end,
        });
  const parameter = `${taken}: TokenClaims${type ? ` & ${type.text}` : ''}`;
  const owner = { user: claimOf(pattern, rules.user), tenant: claimOf(pattern, rules.tenant) };

  const lost = new Set<string>();
  const kept: { node: Statement; text: string; uses: Set<string>; declares: string[] }[] = [];
  for (const node of rules.checks) {
    const text = rewritten(file, node, pattern, type !== null, owner);
    const result =
      text === null ? 'it uses a claim whose type the guard does not state' : portable(node);
    if (typeof result === 'string') {
      left.push(finding(guard, node, `was not moved to WsAuthGuard: ${result}`));
      localNames(node).forEach((name) => lost.add(name));
      continue;
    }
    result.imports.forEach((line) => imports.add(line));
    result.needs.forEach((need) => needs.set(need.property, need));
    kept.push({ node, text: text!, uses: identifiersIn(node), declares: [...localNames(node)] });
  }
  // What is read for nothing that was kept.
  for (let index = kept.length - 1; index >= 0; index -= 1) {
    const { node, declares } = kept[index]!;
    const isUsed = kept
      .slice(index + 1)
      .some(({ uses }) => declares.some((name) => uses.has(name)));
    if (node.type === 'VariableDeclaration' && !isUsed) kept.splice(index, 1);
  }
  if (!rules.tenant && owner.tenant === null) {
    left.push(
      finding(
        guard,
        guard.node.id ?? guard.node,
        'names no tenant: say in identify() of WsAuthGuard which it is; the claim "tenantId" until you do',
      ),
    );
  }
  return {
    identify: identifyOf(),
    claim: owner,
    parameter,
    checks: kept,
    imports: [...imports],
    needs: [...needs.values()],
    left,
  };

  function portable(node: Statement): { imports: string[]; needs: Need[] } | string {
    const held: { imports: string[]; needs: Need[] } = { imports: [], needs: [] };
    const ignored = new Set(
      findAll(node, isThrow).flatMap(({ node: one }) => [...identifiersIn(one)]),
    );
    const local = new Set([...localNames(node), ...boundNames(pattern)]);
    for (const property of thisMembers(node)) {
      const need = needOf(derived, guard, property, target);
      if (typeof need === 'string') return need;
      held.needs.push(need);
    }
    for (const name of identifiersIn(node)) {
      if (lost.has(name)) return `it uses "${name}", which was not moved either`;
      if (local.has(name)) continue;
      const imported = importOf(derived, file, name, target);
      if (typeof imported === 'string') return imported;
      if (imported && !(ignored.has(name) && /Exception$|^Error$/.test(name)))
        held.imports.push(imported.line);
    }
    return held;
  }

  function identifyOf(): Moved['identify'] {
    const usual = (owner.user ?? 'sub') === 'sub' && (owner.tenant ?? 'tenantId') === 'tenantId';
    if (usual && !(rules.user && owner.user === null) && !(rules.tenant && owner.tenant === null))
      return null;
    const valueOf = (node: Node | null, claim: string | null, usual: string): string => {
      if (node === null || (isPlain && claim !== null)) {
        return `${claimsName}['${claim ?? usual}']`;
      }
      return textOf(file, node);
    };
    const isPlain =
      (!rules.user || owner.user !== null) && (!rules.tenant || owner.tenant !== null);
    const claimsName = isPlain ? 'claims' : pattern.type === 'Identifier' ? pattern.name : 'claims';
    if (!isPlain && (!type || pattern.type !== 'Identifier')) {
      left.push(
        finding(
          guard,
          rules.user ?? rules.tenant ?? guard.node,
          'reads whose token it is from claims whose type it does not state: say so in identify() of WsAuthGuard',
        ),
      );
      return null;
    }
    return {
      parameter: isPlain ? 'claims: TokenClaims' : parameter,
      user: valueOf(rules.user, owner.user, 'sub'),
      tenant: valueOf(rules.tenant, owner.tenant, 'tenantId'),
    };
  }
}

/** The type of the claims with what it imports; null where it is not stated, or cannot be imported. */
function typeOf(
  derived: Derived,
  file: CodeFile,
  type: Node | null,
  target: Target,
): { text: string; imports: string[] } | null {
  if (!type || ['TSAnyKeyword', 'TSUnknownKeyword', 'TSObjectKeyword'].includes(type.type))
    return null;
  const imports: string[] = [];
  for (const name of identifiersIn(type)) {
    const imported = importOf(derived, file, name, target);
    if (typeof imported === 'string') return null;
    if (imported) imports.push(imported.line);
  }
  return { text: textOf(file, type), imports };
}

/** The claim that a value is, and nothing else. */
function claimOf(pattern: Node, value: Node | null): string | null {
  if (!value) return null;
  if (value.type === 'Identifier' && pattern.type === 'ObjectPattern') {
    const property = pattern.properties.find(
      (one) => one.type === 'Property' && boundNames(one.value).includes(value.name),
    );
    return property?.type === 'Property' ? keyOf(property.key) : null;
  }
  return value.type === 'MemberExpression' &&
    value.object.type === 'Identifier' &&
    pattern.type === 'Identifier' &&
    value.object.name === pattern.name
    ? keyOf(value.property)
    : null;
}

const isNode = (node: Node): node is Node => node !== null;

const isThrow = (node: Node): node is Extract<Node, { type: 'ThrowStatement' }> =>
  node.type === 'ThrowStatement';

/**
 * A statement as `check` has it: refusals are exceptions of the kernel. Claims without a type are `unknown`: they are
 * compared, and the owner's ids are those of the identity.
 *
 * @returns null where a claim without a type is used as if it had one
 */
function rewritten(
  file: CodeFile,
  statement: Statement,
  pattern: Node,
  isTyped: boolean,
  owner: Moved['claim'],
): string | null {
  const edits: { start: number; end: number; text: string }[] = [];
  const refusal = (thrown: Node | null): string => {
    const given = thrown && 'arguments' in thrown ? (thrown.arguments as Node[])[0] : undefined;
    const isText =
      (given?.type === 'Literal' && typeof given.value === 'string') ||
      given?.type === 'TemplateLiteral';
    return `throw new RealtimeException('FORBIDDEN', ${given && isText ? textOf(file, given) : "'Refused'"});`;
  };
  const isInner = (ancestors: readonly Node[]): boolean =>
    ancestors.some(({ type }) => /^(?:Arrow)?Function/.test(type));
  for (const { node, ancestors } of findAll(statement, isNode)) {
    if (node.type === 'ThrowStatement')
      edits.push({ ...rangeOf(node), text: refusal(node.argument) });
    if (node.type === 'ReturnStatement' && !isInner(ancestors)) {
      const { argument } = node;
      const isLiteral = argument?.type === 'Literal' && typeof argument.value === 'boolean';
      if (argument && isLiteral) {
        edits.push({ ...rangeOf(node), text: argument.value === true ? 'return;' : refusal(null) });
      } else if (argument) {
        const pad = ' '.repeat(columnOf(file, statement));
        const isShort = /^(?:CallExpression|Identifier|MemberExpression)$/.test(argument.type);
        const asked = isShort ? textOf(file, argument) : `(${textOf(file, argument)})`;
        const refused = `if (!${asked}) {\n${pad}  ${refusal(null)}\n${pad}}`;
        const text = node === statement ? refused : `{ ${refused} return; }`;
        edits.push({ ...rangeOf(node), text });
      }
    }
    if (isTyped || pattern.type !== 'Identifier') continue;
    if (node.type !== 'Identifier' || node.name !== pattern.name) continue;
    const parent = ancestors.at(-1);
    if (parent?.type === 'MemberExpression' && parent.property === node && !parent.computed)
      continue;
    if (parent?.type === 'Property' && parent.key === node && !parent.shorthand) continue;
    const key =
      parent?.type === 'MemberExpression' && parent.object === node ? keyOf(parent.property) : null;
    if (parent?.type !== 'MemberExpression' || key === null) return null;
    const whole = ancestors.at(-2);
    const isId =
      key === (owner.user ?? 'sub')
        ? 'userId'
        : key === (owner.tenant ?? 'tenantId')
          ? 'tenantId'
          : null;
    if (isId) edits.push({ ...rangeOf(parent), text: `identity.${isId}` });
    else if (isCompared(whole))
      edits.push({ ...rangeOf(parent), text: `${pattern.name}['${key}']` });
    else return null;
  }
  const text = edits
    .filter(
      (edit) =>
        !edits.some(
          (other) =>
            other !== edit &&
            other.start <= edit.start &&
            edit.end <= other.end &&
            (other.start < edit.start || edit.end < other.end),
        ),
    )
    .sort((a, b) => b.start - a.start)
    .reduce(
      (held, { start, end, text: next }) =>
        held.slice(0, start - statement.start) + next + held.slice(end - statement.start),
      textOf(file, statement),
    );
  return `${commentsBefore(file, statement)}${text}`;
}

const rangeOf = ({ start, end }: Node): { start: number; end: number } => ({ start, end });

/** Comparisons and conditions take a value of any type. */
function isCompared(parent: Node | undefined): boolean {
  return (
    (parent?.type === 'BinaryExpression' && /^[!=]==?$/.test(parent.operator)) ||
    (parent?.type === 'UnaryExpression' && /^(?:!|typeof)$/.test(parent.operator)) ||
    parent?.type === 'LogicalExpression' ||
    parent?.type === 'IfStatement'
  );
}

/** The comments on the lines above a statement. */
function commentsBefore({ source }: CodeFile, { start }: Node): string {
  let from = start;
  for (const comment of source.comments.toReversed()) {
    if (comment.end > from) continue;
    if (source.text.slice(comment.end, from).trim() !== '') break;
    const line = source.text.slice(source.text.lastIndexOf('\n', comment.start) + 1, comment.start);
    if (line.trim() !== '') break;
    from = comment.start;
  }
  return source.text.slice(from, start);
}

/** Writes into the generated guard what is not there yet. */
function write(
  tree: Tree,
  guard: Guard,
  moved: Moved,
  target: Target,
  client: string | undefined,
): Finding[] {
  const text = tree.read(target.path, 'utf-8') ?? '';
  const source = parse(text, 'file.ts');
  const written =
    typeof source === 'string' ? null : findAll(source.program, isClassDeclaration)[0]?.node;
  if (typeof source === 'string' || !written) return refuse('the generated guard does not parse');
  const { edits, eol } = source;
  const methodOf = (name: string): MethodDefinition | undefined =>
    written.body.body.find(
      (member): member is MethodDefinition =>
        member.type === 'MethodDefinition' && keyOf(member.key) === name,
    );
  const plain = (one: string): string => one.replace(/[\s;]+/g, '');
  const findings: Finding[] = [];
  let isChanged = false;

  const identify = methodOf('identify');
  if (moved.identify && identify) {
    const { parameter, user, tenant } = moved.identify;
    const body = `return { userId: ${user}, tenantId: ${tenant} };`;
    const held = text.slice(identify.value.body!.start + 1, identify.value.body!.end - 1);
    if (plain(held) === plain(AS_GENERATED)) {
      edits.update(
        identify.key.start,
        identify.end,
        `identify(${parameter}) {${eol}    ${body}${eol}  }`,
      );
      isChanged = true;
      findings.push(...followInBrowser(tree, guard, moved, client));
    } else if (plain(held) !== plain(body)) {
      findings.push(
        finding(
          guard,
          guard.node.id ?? guard.node,
          `says whose a token is by ${body} WsAuthGuard says it otherwise already`,
        ),
      );
    }
  }

  const asked = methodOf('check');
  const missing = moved.checks.filter(({ text: one }) => !plain(text).includes(plain(one)));
  if (asked && missing.length > 0) {
    findings.push(
      ...missing.map(({ node }) =>
        finding(guard, node, 'was not moved to WsAuthGuard: that has a check() already'),
      ),
    );
  } else if (missing.length > 0) {
    const names = new Set(moved.needs.map(({ property }) => property));
    const made = methodOf('constructor');
    const has = new Set(parametersOf(made?.value.params ?? []).map(({ name }) => name));
    if (made && [...names].some((name) => !has.has(name))) {
      return [...findings, ...refuse('that has a constructor already')];
    }
    const statements = missing.map(({ text: one, node }) =>
      indent(one, columnOf(guard.file, node), eol),
    );
    const all = statements.join(eol);
    const identity = /\bidentity\b/.test(all) ? 'identity' : '_identity';
    const claims = boundNamesOf(moved.parameter).some((name) =>
      new RegExp(`\\b${name.replace('$', '\\$')}\\b`).test(all),
    );
    const args = [`${identity}: RealtimeIdentity`, ...(claims ? [moved.parameter] : [])].join(', ');
    const isAsync = /\bawait\b/.test(all) ? 'async ' : '';
    const method = `override ${isAsync}check(${args})${isAsync ? '' : ': void'} {${eol}${all}${eol}  }`;
    edits.appendLeft(
      written.body.end - 1,
      `${eol}  /** What ${guard.name} asked, at each handshake and refresh. */${eol}  ${method}${eol}`,
    );
    const kernel = ['RealtimeException', 'type RealtimeIdentity'].filter(
      (_, index) => index > 0 || all.includes('RealtimeException'),
    );
    importFromKernel(source, text, kernel);
    const last = source.program.body.findLast(({ type }) => type === 'ImportDeclaration');
    for (const line of [...moved.imports, ...moved.needs.map(importLine)]) {
      if (last && !text.includes(line)) edits.appendLeft(last.end, `${eol}${line}`);
    }
    if (!made && moved.needs.length > 0) {
      const lines = parameters(moved.needs)
        .map((one) => `${eol}    ${one}`)
        .join('');
      edits.appendLeft(
        written.body.start + 1,
        `${eol}  constructor(${lines}${eol}  ) {${eol}    super();${eol}  }${eol}`,
      );
    }
    isChanged = true;
  } else if (isChanged && moved.identify?.parameter !== 'claims: TokenClaims') {
    const last = source.program.body.findLast(({ type }) => type === 'ImportDeclaration');
    for (const line of moved.imports)
      if (last && !text.includes(line)) edits.appendLeft(last.end, `${eol}${line}`);
  }
  if (isChanged) tree.write(target.path, edits.toString());
  return [
    ...findings,
    ...(missing.length > 0 && !asked ? provideNeeds(tree, moved.needs, target.app) : []),
  ];

  function refuse(reason: string): Finding[] {
    return moved.checks.map(({ node }) =>
      finding(guard, node, `was not moved to WsAuthGuard: ${reason}`),
    );
  }
}

/** The names in a parameter's text. */
const boundNamesOf = (parameter: string): string[] =>
  parameter.split(': TokenClaims')[0]!.match(/[\w$]+/g) ?? [];

/** Adds names to the import of the kernel. */
function importFromKernel(
  { program, edits }: Source,
  text: string,
  names: readonly string[],
): void {
  const held = program.body.find(
    (statement) =>
      statement.type === 'ImportDeclaration' &&
      statement.source.value === KERNEL &&
      statement.importKind !== 'type',
  );
  if (held?.type !== 'ImportDeclaration') return;
  const last = held.specifiers.at(-1);
  const missing = names.filter(
    (name) =>
      !new RegExp(`\\b${name.replace('type ', '')}\\b`).test(text.slice(held.start, held.end)),
  );
  if (last && missing.length > 0) edits.appendLeft(last.end, `, ${missing.join(', ')}`);
}

function columnOf({ source }: CodeFile, { start }: Node): number {
  return start - (source.text.lastIndexOf('\n', start - 1) + 1);
}

function indent(text: string, column: number, eol: string): string {
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => (index === 0 ? line : line.slice(Math.min(column, line.search(/\S|$/)))));
  return lines.map((line) => (line === '' ? line : `    ${line}`)).join(eol);
}

/** The browser tells users apart by the claims that the server reads. */
function followInBrowser(
  tree: Tree,
  guard: Guard,
  { claim }: Moved,
  client: string | undefined,
): Finding[] {
  if (client === undefined || !tree.exists(client)) return [];
  const names = [
    ...(claim.user !== null && claim.user !== 'sub' ? [`user: '${claim.user}'`] : []),
    ...(claim.tenant !== null && claim.tenant !== 'tenantId' ? [`tenant: '${claim.tenant}'`] : []),
  ];
  const line = `claims: { ${names.join(', ')} }`;
  const told = finding(
    guard,
    guard.node.id ?? guard.node,
    `reads other claims than "sub" and "tenantId": give createRealtime() in ${client} the same, as ${names.length > 0 ? line : 'its option claims'}`,
  );
  if (names.length === 0) return [told];
  const source = parse(tree.read(client, 'utf-8') ?? '', 'file.ts');
  if (typeof source === 'string') return [told];
  const options = optionsOf(source, 'createRealtime');
  if (!options) return [told];
  if (hasProperty(options, 'claims')) return [];
  source.edits.appendLeft(options.start + 1, `${source.eol}  ${line},`);
  tree.write(client, source.edits.toString());
  return [];
}
