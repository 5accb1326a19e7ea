import type { CallExpression, Class, MethodDefinition, Node, Statement } from 'oxc-parser';
import { findAll } from '../wiring/index.js';
import { keyOf, textOf } from './code.js';
import type { CodeFile } from './code.js';
import { boundNames, identifiersIn } from './moved-code.js';
import { parametersOf } from './values.js';

/** Decisions of a hand-written guard beside verifying the token. */
export interface GuardRules {
  /** Parameter that takes the claims: `payload`, or a pattern of them; null where it verifies no token. */
  readonly claims: { readonly pattern: Node; readonly type: Node | null } | null;
  /** Claims from which it reads the user and the tenant. */
  readonly user: Node | null;
  readonly tenant: Node | null;
  /** Statements that use neither the socket nor the token, in order. */
  readonly checks: readonly Statement[];
  /** Code that has no place in a guard of the kernel. */
  readonly left: readonly { readonly node: Node; readonly why: string }[];
}

const TOKEN = /token|jwt|auth|bearer|cookie|scheme/i;
const USER = ['userId', 'sub', 'uid', 'user_id', 'id'];
const TENANT = /^(?:tenant|org|organi[sz]ation|company|account|workspace)(?:_?id)?$/i;

/** Variables that say what is verified beside the signature. */
const VARIABLES: Readonly<Record<string, string>> = {
  issuer: 'JWT_ISSUER',
  audience: 'JWT_AUDIENCE',
  algorithms: 'JWT_ALGORITHMS',
  clockTolerance: 'JWT_CLOCK_TOLERANCE_S',
};

/** Reads `canActivate`, statement by statement. */
export function readGuard(file: CodeFile, method: MethodDefinition): GuardRules {
  const reader = new Reader(file, method);
  reader.read(method.value.body?.body ?? []);
  return reader;
}

/** The guard's `canActivate`. */
export function canActivateOf(node: Class): MethodDefinition | undefined {
  return node.body.body.find(
    (member): member is MethodDefinition =>
      member.type === 'MethodDefinition' && keyOf(member.key) === 'canActivate',
  );
}

class Reader implements GuardRules {
  claims: { pattern: Node; type: Node | null } | null = null;
  user: Node | null = null;
  tenant: Node | null = null;
  readonly checks: Statement[] = [];
  readonly left: { node: Node; why: string }[] = [];
  /** Names that stand for the socket, or come from it. */
  private readonly wire = new Set<string>();
  /** Types of variables that are set later. */
  private readonly declared = new Map<string, Node | null>();

  constructor(
    private readonly file: CodeFile,
    method: MethodDefinition,
  ) {
    for (const { pattern } of parametersOf(method.value.params)) {
      boundNames(pattern).forEach((name) => this.wire.add(name));
    }
  }

  read(statements: readonly Statement[]): void {
    for (const statement of statements) this.readOne(statement);
  }

  private readOne(statement: Statement): void {
    switch (statement.type) {
      case 'BlockStatement':
        return this.read(statement.body);
      case 'TryStatement': {
        this.read(statement.block.body);
        const caught = statement.handler?.body.body ?? [];
        for (const one of [...caught, ...(statement.finalizer?.body ?? [])]) {
          if (!isRefusal(one) && !isCut(one)) {
            this.leave(
              one,
              'runs where a token is refused: the kernel logs refusals under "Security"',
            );
          }
        }
        return;
      }
      case 'IfStatement':
        return this.readIf(statement);
      case 'VariableDeclaration':
        return this.readDeclaration(statement);
      case 'ReturnStatement':
        return this.readReturn(statement);
      case 'ThrowStatement':
        return;
      case 'ExpressionStatement':
        return this.readExpression(statement);
      default:
        return this.keep(statement);
    }
  }

  private readIf(statement: Extract<Statement, { type: 'IfStatement' }>): void {
    const { test, consequent, alternate } = statement;
    const used = this.wireIn(test);
    if (used.length === 0) return this.keep(statement);
    const text = textOf(this.file, test);
    // The kernel refuses what is no token, and guards nothing but sockets.
    const isAsked =
      /getType\(/.test(text) || used.every((name) => TOKEN.test(name)) || isPresence(test);
    if (!isAsked) {
      const why = accepts(consequent) ? 'lets in who has no valid token' : 'asks the socket';
      return this.leave(statement, `${why}, which the kernel does not hand to its guard`);
    }
    if (!refuses(consequent) && !accepts(consequent)) this.readOne(consequent);
    if (alternate && !refuses(alternate)) this.readOne(alternate);
  }

  private readDeclaration(statement: Extract<Statement, { type: 'VariableDeclaration' }>): void {
    for (const { id, init } of statement.declarations) {
      const names = boundNames(id);
      if (!init) {
        const [name = ''] = names;
        this.declared.set(name, annotationOf(id));
      } else if (this.takeClaims(init, id, annotationOf(id))) {
        continue;
      } else if (this.wireIn(init).length > 0) {
        if (/\bquery\b/.test(textOf(this.file, init))) {
          this.leave(statement, 'takes the token from the query: clients send it in "auth" now');
        }
        names.forEach((name) => this.wire.add(name));
      } else {
        return this.keep(statement);
      }
    }
  }

  private readExpression(statement: Extract<Statement, { type: 'ExpressionStatement' }>): void {
    const { expression } = statement;
    if (expression.type === 'AssignmentExpression') {
      const { left, right } = expression;
      if (left.type === 'Identifier') {
        if (this.takeClaims(right, left, this.declared.get(left.name) ?? null)) return;
      } else if (this.wireIn(left).length > 0) {
        return this.readOwner(statement, left, right);
      }
    }
    if (this.takeClaims(expression, null, null) || isCut(statement)) return;
    if (
      expression.type === 'CallExpression' &&
      textOf(this.file, expression.callee) === 'Object.assign' &&
      this.wireIn(expression).length > 0 &&
      expression.arguments[1]
    ) {
      return this.readOwner(statement, expression, expression.arguments[1]);
    }
    if (this.wireIn(expression).length > 0) {
      return this.leave(statement, 'uses the socket, which a guard of the kernel has not');
    }
    this.keep(statement);
  }

  private readReturn(statement: Extract<Statement, { type: 'ReturnStatement' }>): void {
    const { argument } = statement;
    if (!argument || (argument.type === 'Literal' && typeof argument.value === 'boolean')) return;
    if (this.takeClaims(argument, null, null)) return;
    const used = this.wireIn(argument);
    if (used.length === 0) {
      if (!isPresence(argument)) this.keep(statement);
    } else if (/super\.canActivate/.test(textOf(this.file, argument))) {
      this.leave(
        statement,
        'leaves it to its base class: what that asks belongs to check() of WsAuthGuard',
      );
    } else if (!/\btoken\b|\bauth/i.test(textOf(this.file, argument))) {
      this.leave(statement, 'asks the socket, which the kernel does not hand to its guard');
    }
  }

  /** The claims, where an expression verifies a token; what else it asks of one is said. */
  private takeClaims(expression: Node, pattern: Node | null, type: Node | null): boolean {
    const [call] = findAll(expression, isCallOf).filter(
      ({ node }) => VERIFIES.test(calledName(node)) && this.wireIn(node).length > 0,
    );
    if (!call || identifiersIn(expression).size === 0) return false;
    const { node } = call;
    const isKernels = this.isJwt(node);
    if (!isKernels) {
      this.leave(
        node,
        `verifies the token by ${textOf(this.file, node.callee)}(): WsAuthGuard verifies it with REALTIME_JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URI. What else that asks belongs to its check(); a token that is no JWT, to its verify()`,
      );
      if (pattern) boundNames(pattern).forEach((name) => this.wire.add(name));
      return true;
    }
    this.readOptions(node);
    if (pattern === null) return true;
    const inner =
      pattern.type === 'ObjectPattern' && calledName(node) === 'jwtVerify'
        ? payloadIn(pattern)
        : pattern;
    const stated = call.ancestors.findLast(({ type: kind }) => kind === 'TSAsExpression') as
      Extract<Node, { type: 'TSAsExpression' }> | undefined;
    this.claims = {
      pattern: inner,
      type: type ?? stated?.typeAnnotation ?? node.typeArguments?.params[0] ?? null,
    };
    return true;
  }

  private readOptions(call: CallExpression): void {
    const options = call.arguments.at(-1);
    if (options?.type !== 'ObjectExpression') return;
    for (const property of options.properties) {
      if (property.type !== 'Property') continue;
      const key = keyOf(property.key) ?? '';
      if (/^(?:secret|publicKey|secretOrPublicKey|key)$/.test(key)) continue;
      const variable = VARIABLES[key];
      this.leave(
        property,
        variable
          ? `asks for the ${key} of a token: set ${variable}, which the kernel asks for`
          : `verifies with the option ${key}, which the kernel has not: ask for it in check() of WsAuthGuard`,
      );
    }
  }

  /** `this.jwt.verifyAsync(token)` of a JwtService, or a function of jsonwebtoken or jose. */
  private isJwt({ callee }: CallExpression): boolean {
    const name = callee.type === 'MemberExpression' ? callee.object : callee;
    const local = name.type === 'MemberExpression' ? keyOf(name.property) : keyOf(name);
    return (
      local !== null &&
      (/jwt|jose|jsonwebtoken/i.test(local) ||
        this.file.source.program.body.some(
          (statement) =>
            statement.type === 'ImportDeclaration' &&
            /^(?:jsonwebtoken|jose|@nestjs\/jwt)$/.test(statement.source.value) &&
            statement.specifiers.some((specifier) => specifier.local.name === local),
        ))
    );
  }

  /** Owner of the socket, by what is put on it. */
  private readOwner(statement: Statement, target: Node, value: Node): void {
    const own = this.claimNames();
    const members: [name: string, value: Node][] =
      value.type === 'ObjectExpression'
        ? value.properties.flatMap((property): [string, Node][] => {
            const name = property.type === 'Property' ? keyOf(property.key) : null;
            return property.type === 'Property' && name !== null ? [[name, property.value]] : [];
          })
        : target.type === 'MemberExpression'
          ? [[keyOf(target.property) ?? '', value]]
          : [];
    const [user] = USER.flatMap((key) => members.filter(([name]) => name === key));
    const tenant = members.find(([name]) => TENANT.test(name));
    const isRead = (node: Node): boolean =>
      identifiersIn(node).size > 0 && [...identifiersIn(node)].every((name) => own.has(name));
    for (const [name, node] of members) {
      if (value.type === 'Identifier' && own.has(value.name)) continue;
      const isOwner = name === user?.[0] || name === tenant?.[0];
      if (isOwner && isRead(node)) continue;
      this.leave(
        isOwner ? node : statement,
        isOwner
          ? `says which ${name} it is by more than the claims: say so in identify() of WsAuthGuard, which may be async`
          : `puts "${name}" on the socket, which a guard of the kernel has not`,
      );
    }
    if (user && isRead(user[1])) this.user = user[1];
    if (tenant && isRead(tenant[1])) this.tenant = tenant[1];
  }

  private claimNames(): Set<string> {
    return new Set(this.claims ? boundNames(this.claims.pattern) : []);
  }

  private wireIn(node: Node): string[] {
    return [...identifiersIn(node)].filter((name) => this.wire.has(name));
  }

  private keep(statement: Statement): void {
    if (this.wireIn(statement).length > 0) {
      return this.leave(statement, 'uses the socket, which a guard of the kernel has not');
    }
    this.checks.push(statement);
  }

  private leave(node: Node, why: string): void {
    this.left.push({ node, why });
  }
}

const VERIFIES =
  /^(?:verify|verifyAsync|jwtVerify|decode|decodeJwt|introspect)$|^(?:verify|validate|check|decode|parse|introspect)\w*(?:Token|Jwt|Session)$|^(?:get|find|load|resolve)User\w*$|^authenticate\w*$/;

const isCallOf = (node: Node): node is CallExpression => node.type === 'CallExpression';

const calledName = ({ callee }: CallExpression): string =>
  (callee.type === 'MemberExpression' ? keyOf(callee.property) : keyOf(callee)) ?? '';

/** True if a statement is, or ends with, a refusal. */
export function refuses(statement: Statement): boolean {
  return statement.type === 'BlockStatement' ? statement.body.some(refuses) : isRefusal(statement);
}

function isRefusal(statement: Statement): boolean {
  return (
    statement.type === 'ThrowStatement' ||
    (statement.type === 'ReturnStatement' &&
      (!statement.argument ||
        (statement.argument.type === 'Literal' && statement.argument.value === false)))
  );
}

function accepts(statement: Statement): boolean {
  if (statement.type === 'BlockStatement') return statement.body.some(accepts);
  return (
    statement.type === 'ReturnStatement' &&
    statement.argument?.type === 'Literal' &&
    statement.argument.value === true
  );
}

/** `client.disconnect()`: who is refused is cut by the kernel. */
function isCut(statement: Statement): boolean {
  return (
    statement.type === 'ExpressionStatement' &&
    statement.expression.type === 'CallExpression' &&
    /^disconnect/.test(calledName(statement.expression))
  );
}

/** Asks whether there is one at all: `!client`, `!!payload`, `Boolean(payload)`. */
function isPresence(test: Node): boolean {
  if (test.type === 'UnaryExpression' && test.operator === '!') return isPresence(test.argument);
  if (test.type === 'CallExpression') {
    const [only] = test.arguments;
    return keyOf(test.callee) === 'Boolean' && only !== undefined && isPresence(only);
  }
  return test.type === 'Identifier';
}

function annotationOf(pattern: Node): Node | null {
  const held = 'typeAnnotation' in pattern ? (pattern.typeAnnotation as Node | null) : null;
  return held?.type === 'TSTypeAnnotation' ? held.typeAnnotation : (held ?? null);
}

/** jose's name of the claims in its result. */
function payloadIn(pattern: Extract<Node, { type: 'ObjectPattern' }>): Node {
  for (const property of pattern.properties) {
    if (property.type === 'Property' && keyOf(property.key) === 'payload') return property.value;
  }
  return pattern;
}
