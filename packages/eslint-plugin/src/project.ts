import type { ParserServices, TSESTree } from '@typescript-eslint/utils';
import ts from 'typescript';
import type { Context } from './ast.js';

/** Where a class is listed in the metadata of a module. */
export interface Listing {
  /** Name of the module's class. */
  readonly module: string;
  readonly list: 'providers' | 'controllers';
}

interface GatewayFacts {
  readonly port: string;
  readonly options: string;
  /** As written. */
  readonly namespace: string;
  /** Something in it asks who a client is. */
  readonly asks: boolean;
}

interface Facts {
  /** The file that boots the app is among those that are known. */
  boots: boolean;
  /** Plain websockets alone: what is said of Socket.IO does not hold. */
  usesWs: boolean;
  usesSocketIo: boolean;
  /** What @golevelup/nestjs-rabbitmq does with a failed message where its handler does not say. */
  rabbitBehavior: string | undefined;
  /** A microservice of another transport than RabbitMQ is booted too. */
  hasOtherTransport: boolean;
  /** Tokens are verified with a public key, which everybody may know. */
  usesPublicKey: boolean;
  hasGuardedAdapter: boolean;
  hasAllowRequest: boolean;
  isWebsocketOnly: boolean;
  pinsAlgorithms: boolean;
  hasDeliveryLimit: boolean;
  /** `noAck` of each RabbitMQ microservice that is booted; `undefined` where it is computed. */
  readonly noAcks: (boolean | undefined)[];
  /** What is given to `assertExchange`: names, or the text of what computes them. */
  readonly exchanges: Set<string>;
  /** Options other than the namespace of each gateway, by the port and path that it asks for. */
  readonly gateways: Map<ts.ClassLikeDeclaration, GatewayFacts>;
  readonly listings: Map<ts.Node, Listing[]>;
}

/** The package of the server kernel. */
export const KERNEL = '@nx-realtime/nest';

const RELEVANT = /@nestjs\/|@nx-realtime\/|@golevelup|['"]socket\.io['"]|['"]amqp/;
const cache = new WeakMap<object, Facts>();

/**
 * The files around the one that is linted: all of its program when the parser was given type information, else that
 * one file alone. `undefined` with a parser other than typescript-eslint's.
 */
export function projectOf(context: Context): Project | undefined {
  const services = context.sourceCode.parserServices as Partial<ParserServices> | undefined;
  const own = services?.esTreeNodeToTSNodeMap?.get(context.sourceCode.ast);
  return services && own ? new Project(services as ParserServices, own) : undefined;
}

export class Project {
  readonly facts: Readonly<Facts>;

  constructor(
    private readonly services: ParserServices,
    own: ts.SourceFile,
  ) {
    const key = services.program ?? own;
    let facts = cache.get(key);
    if (!facts) {
      facts = read(services.program?.getSourceFiles() ?? [own], (name) => this.declaration(name));
      cache.set(key, facts);
    }
    this.facts = facts;
  }

  /** What no file says is said nowhere: all of an app's files are known. */
  get isWhole(): boolean {
    return this.services.program !== null && this.facts.boots;
  }

  /** The class that a name stands for, in this file or, with type information, in another. */
  classOf(node: TSESTree.Identifier): ts.ClassLikeDeclaration | undefined {
    const name = this.services.esTreeNodeToTSNodeMap.get(node);
    const declaration = this.declaration(name as ts.Node);
    return declaration && ts.isClassLike(declaration) ? declaration : undefined;
  }

  /** The declaration that a name stands for, as written; nothing without type information. */
  textOf(node: TSESTree.Identifier): string | undefined {
    if (!this.services.program) return undefined;
    return this.declaration(this.services.esTreeNodeToTSNodeMap.get(node) as ts.Node)?.getText();
  }

  /** The classes that a class extends, also through mixins; nothing where one of them cannot be seen. */
  basesOf(node: TSESTree.Node): ts.ClassLikeDeclaration[] | undefined {
    const bases: ts.ClassLikeDeclaration[] = [];
    const queue: ts.Expression[] = [];
    const extend = (of: ts.ClassLikeDeclaration): void => {
      for (const { token, types } of of.heritageClauses ?? []) {
        if (token === ts.SyntaxKind.ExtendsKeyword)
          queue.push(...types.map((type) => type.expression));
      }
    };
    extend(this.tsNode(node) as ts.ClassLikeDeclaration);
    for (let next = queue.pop(); next; next = queue.pop()) {
      if (bases.length > 8) return undefined;
      if (ts.isCallExpression(next)) queue.push(...next.arguments);
      const found = this.declaration(ts.isCallExpression(next) ? next.expression : next);
      const base = found && (ts.isClassLike(found) ? found : classReturnedBy(found));
      if (base) {
        if (base.getSourceFile().isDeclarationFile) return undefined;
        bases.push(base);
        extend(base);
      } else if (!found || !ts.isParameter(found)) return undefined;
    }
    return bases;
  }

  /** True for a guard that the server kernel runs at each handshake. */
  isHandshakeGuard(node: TSESTree.Identifier): boolean {
    for (let next = this.classOf(node), depth = 0; next && depth < 8; depth += 1) {
      const base = next.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)
        ?.types[0]?.expression;
      if (!base) return false;
      if (isOfKernel(base, 'HandshakeGuard')) return true;
      const found = this.declaration(base);
      next = found && ts.isClassLike(found) ? found : undefined;
    }
    return false;
  }

  listingsOf(declaration: ts.Node): readonly Listing[] {
    return this.facts.listings.get(declaration) ?? [];
  }

  tsNode(node: TSESTree.Node): ts.Node {
    return this.services.esTreeNodeToTSNodeMap.get(node);
  }

  private declaration(name: ts.Node): ts.Node | undefined {
    const checker = this.services.program?.getTypeChecker();
    if (!checker)
      return ts.isIdentifier(name) ? classIn(name.getSourceFile(), name.text) : undefined;
    const symbol = checker.getSymbolAtLocation(name);
    if (!symbol) return undefined;
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return target.declarations?.[0];
  }
}

/** The class that a mixin makes. */
function classReturnedBy(node: ts.Node): ts.ClassLikeDeclaration | undefined {
  let found: ts.ClassLikeDeclaration | undefined;
  const visit = (inner: ts.Node): void => {
    if (ts.isClassLike(inner)) found ??= inner;
    else inner.forEachChild(visit);
  };
  visit(node);
  return found;
}

function classIn(file: ts.SourceFile, name: string): ts.Node | undefined {
  return file.statements.find(
    (statement) => ts.isClassDeclaration(statement) && statement.name?.text === name,
  );
}

/** Names of the decorators of a class or of its methods. */
export function decoratorNames(node: ts.Node): string[] {
  return decoratorsOf(node).map(nameOfCall);
}

function decoratorsOf(node: ts.Node): ts.Expression[] {
  const decorators = ts.canHaveDecorators(node) ? (ts.getDecorators(node) ?? []) : [];
  return decorators.map(({ expression }) => expression);
}

/** Whether a class has a method that handles a broker's messages. */
export function consumes(declaration: ts.ClassLikeDeclaration): boolean {
  return declaration.members.some((member) =>
    decoratorsOf(member).some(
      (expression) =>
        /^(?:Event|Message)Pattern$/.test(nameOfCall(expression)) ||
        isOfKernel(calleeOf(expression), 'BrokerEvent'),
    ),
  );
}

/** True for a name, or the member of a namespace, that a file imports from the server kernel. */
export function isOfKernel(expression: ts.Expression, name: string): boolean {
  const [local, member] = ts.isPropertyAccessExpression(expression)
    ? [expression.expression.getText(), expression.name.text]
    : [expression.getText()];
  return expression.getSourceFile().statements.some((statement) => {
    if (!ts.isImportDeclaration(statement)) return false;
    if (literal(statement.moduleSpecifier) !== KERNEL) return false;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings) return false;
    if (ts.isNamespaceImport(bindings)) return bindings.name.text === local && member === name;
    return bindings.elements.some(
      (element) =>
        member === undefined &&
        element.name.text === local &&
        (element.propertyName ?? element.name).text === name,
    );
  });
}

const calleeOf = (expression: ts.Expression): ts.Expression =>
  ts.isCallExpression(expression) ? expression.expression : expression;

function nameOfCall(expression: ts.Expression): string {
  const callee = calleeOf(expression);
  if (ts.isIdentifier(callee)) return callee.text;
  return ts.isPropertyAccessExpression(callee) ? callee.name.text : '';
}

function read(
  files: readonly ts.SourceFile[],
  declarationOf: (name: ts.Node) => ts.Node | undefined,
): Facts {
  const facts: Facts = {
    boots: false,
    usesWs: false,
    usesSocketIo: false,
    rabbitBehavior: undefined,
    hasOtherTransport: false,
    usesPublicKey: false,
    hasGuardedAdapter: false,
    hasAllowRequest: false,
    isWebsocketOnly: false,
    pinsAlgorithms: false,
    hasDeliveryLimit: false,
    noAcks: [],
    exchanges: new Set(),
    gateways: new Map(),
    listings: new Map(),
  };
  for (const file of files) {
    if (file.isDeclarationFile || file.fileName.includes('/node_modules/')) continue;
    if (!RELEVANT.test(file.text)) continue;
    // What a test boots says nothing of the app.
    if (/\.(?:spec|test|e2e-spec)\.[cm]?[jt]sx?$/.test(file.fileName)) continue;
    facts.usesWs ||= /['"]@nestjs\/platform-ws['"]/.test(file.text);
    facts.usesWs ||= /\bextends (?:Abstract)?WsAdapter\b/.test(file.text);
    facts.usesSocketIo ||= /['"](?:@nestjs\/platform-)?socket\.io['"]/.test(file.text);
    facts.usesPublicKey ||= /@nestjs\/jwt[^]*\bpublicKey\b/.test(file.text);
    facts.hasDeliveryLimit ||= file.text.includes('x-delivery-limit');
    const visit = (node: ts.Node): void => {
      readNode(facts, node, declarationOf);
      node.forEachChild(visit);
    };
    visit(file);
  }
  facts.usesWs &&= !facts.usesSocketIo;
  return facts;
}

function readNode(
  facts: Facts,
  node: ts.Node,
  declarationOf: (name: ts.Node) => ts.Node | undefined,
): void {
  if (ts.isClassLike(node)) readClass(facts, node, declarationOf);
  else if (ts.isCallExpression(node)) readCall(facts, node);
  else if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) {
    readProperty(facts, node);
  } else if (ts.isMethodDeclaration(node) && node.name.getText() === 'allowRequest') {
    facts.hasAllowRequest = true;
  }
}

function readCall(facts: Facts, node: ts.CallExpression): void {
  const name = nameOfCall(node);
  const callee = node.expression.getText();
  if (/^NestFactory\.create/.test(callee)) facts.boots = true;
  if (isOfKernel(node.expression, 'setupRealtime')) {
    facts.hasGuardedAdapter = true;
    facts.hasAllowRequest = true;
    facts.isWebsocketOnly = true;
  }
  if (name === 'assertExchange' && node.arguments[0]) {
    facts.exchanges.add(literal(node.arguments[0]) ?? '*');
  }
  if (name !== 'createMicroservice' && name !== 'connectMicroservice') return;
  for (const argument of node.arguments) {
    const options = unwrapped(argument);
    if (!ts.isObjectLiteralExpression(options)) {
      if (name === 'connectMicroservice' || ts.isCallExpression(options))
        facts.noAcks.push(undefined);
      continue;
    }
    const transport = entry(options, 'transport')?.getText() ?? '';
    if (!/\.RMQ$/.test(transport)) {
      facts.hasOtherTransport ||= transport !== '';
      continue;
    }
    const inner = entry(options, 'options');
    const noAck = inner && ts.isObjectLiteralExpression(inner) ? entry(inner, 'noAck') : undefined;
    const isOpen =
      !inner ||
      !ts.isObjectLiteralExpression(inner) ||
      inner.properties.some(ts.isSpreadAssignment);
    facts.noAcks.push(
      noAck?.kind === ts.SyntaxKind.FalseKeyword
        ? false
        : noAck?.kind === ts.SyntaxKind.TrueKeyword || (!noAck && !isOpen)
          ? true
          : undefined,
    );
  }
}

function readProperty(
  facts: Facts,
  node: ts.PropertyAssignment | ts.ShorthandPropertyAssignment,
): void {
  const name = node.name.getText();
  if (name === 'allowRequest') facts.hasAllowRequest = true;
  if (
    /^default(?:Subscribe|Rpc)?Error(?:Behavior|Handler)$/i.test(name) &&
    ts.isPropertyAssignment(node)
  ) {
    facts.rabbitBehavior = node.initializer.getText().split('.').at(-1);
  }
  // Nest declares the exchange that its own option names; so do libraries that list exchanges by name.
  if ((name === 'exchange' || name === 'name') && ts.isPropertyAssignment(node)) {
    facts.exchanges.add(literal(node.initializer) ?? node.initializer.getText());
  }
  if (name === 'algorithms') {
    const owner = node.parent.parent;
    if (ts.isPropertyAssignment(owner) && owner.name.getText() === 'verifyOptions') {
      facts.pinsAlgorithms = true;
    }
  }
  if (name === 'transports' && ts.isPropertyAssignment(node)) {
    const isClient = node.getSourceFile().text.includes('socket.io-client');
    const text = node.initializer.getText();
    if (!isClient && text.includes('websocket') && !text.includes('polling')) {
      facts.isWebsocketOnly = true;
    }
  }
}

function readClass(
  facts: Facts,
  node: ts.ClassLikeDeclaration,
  declarationOf: (name: ts.Node) => ts.Node | undefined,
): void {
  const base = node.heritageClauses?.[0]?.types[0]?.expression.getText() ?? '';
  if (/(?:Io|WebSocket|Ws|Redis\w*)Adapter$/.test(base)) {
    const text = node.getText();
    if (/\.use\(|allowRequest/.test(text)) facts.hasGuardedAdapter = true;
  }
  for (const use of ts.canHaveDecorators(node) ? (ts.getDecorators(node) ?? []) : []) {
    const { expression } = use;
    if (!ts.isCallExpression(expression)) continue;
    const name = nameOfCall(expression);
    if (name === 'WebSocketGateway') {
      const [first, second] = expression.arguments;
      const options = [first, second].find(
        (argument) => argument && ts.isObjectLiteralExpression(argument),
      );
      const path =
        options && ts.isObjectLiteralExpression(options) ? entry(options, 'path') : undefined;
      const port = `${first && first !== options ? first.getText() : 0} ${path?.getText() ?? ''}`;
      const namespace =
        options && ts.isObjectLiteralExpression(options) ? entry(options, 'namespace') : undefined;
      facts.gateways.set(node, {
        port,
        options: serverOptions(options),
        namespace: namespace?.getText() ?? '',
        asks: /\.use\(|\.disconnect\(|\bverify|token|jwt|UseGuards/i.test(node.getText()),
      });
    }
    if (name !== 'Module') continue;
    const [metadata] = expression.arguments;
    if (!metadata || !ts.isObjectLiteralExpression(metadata)) continue;
    for (const list of ['providers', 'controllers'] as const) {
      const entries = entry(metadata, list);
      if (!entries || !ts.isArrayLiteralExpression(entries)) continue;
      for (const element of entries.elements) {
        const declaration = ts.isIdentifier(element) ? declarationOf(element) : undefined;
        if (!declaration) continue;
        const known = facts.listings.get(declaration) ?? [];
        known.push({ module: node.name?.text ?? '', list });
        facts.listings.set(declaration, known);
      }
    }
  }
}

/** The text of what is set for a whole server, which only the first gateway of a port can set. */
function serverOptions(options: ts.Node | undefined): string {
  if (!options || !ts.isObjectLiteralExpression(options)) return '';
  return options.properties
    .filter((option) => option.name?.getText() !== 'namespace')
    .map((option) => option.getText().replace(/\s+/g, ' '))
    .sort()
    .join(', ');
}

function entry(object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const found = object.properties.find(
    (candidate): candidate is ts.PropertyAssignment =>
      ts.isPropertyAssignment(candidate) &&
      (ts.isIdentifier(candidate.name) || ts.isStringLiteral(candidate.name)) &&
      candidate.name.text === name,
  );
  return found && unwrapped(found.initializer);
}

function unwrapped(node: ts.Expression): ts.Expression {
  return ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isParenthesizedExpression(node)
    ? unwrapped(node.expression)
    : node;
}

function literal(node: ts.Expression): string | undefined {
  return ts.isStringLiteralLike(node) ? node.text : undefined;
}
