import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, calledName, enclosingClass, keyName, memberName } from './ast.js';
import type { ClassNode, Context } from './ast.js';
import { importOf, isImport } from './imports.js';
import { KERNEL } from './project.js';

export interface DecoratorUse {
  readonly node: TSESTree.Decorator;
  readonly args: readonly TSESTree.CallExpressionArgument[];
}

export type Method = TSESTree.MethodDefinition & { readonly value: TSESTree.FunctionExpression };

export interface Handler {
  readonly method: Method;
  /** Holds what the client sent. */
  readonly payload: TSESTree.Parameter | undefined;
  readonly socket: TSESTree.Parameter | undefined;
}

export interface Gateway {
  readonly node: ClassNode;
  readonly decorator: DecoratorUse | undefined;
  readonly options: TSESTree.ObjectExpression | undefined;
  readonly handlers: readonly Handler[];
}

interface Decorated {
  readonly decorators?: readonly TSESTree.Decorator[];
}

const NEST = /^@nestjs\//;

/** Decorators of a parameter that holds what the client sent. */
export const PAYLOAD = ['MessageBody', 'Payload', 'Body'] as const;

/** A decorator of Nest's, under its own or another local name. */
export function decorator(
  context: Context,
  node: TSESTree.Node | null | undefined,
  ...names: readonly string[]
): DecoratorUse | undefined {
  for (const use of (node as Decorated | null | undefined)?.decorators ?? []) {
    const { expression } = use;
    const [callee, args] =
      expression.type === AST_NODE_TYPES.CallExpression
        ? [expression.callee, expression.arguments]
        : [expression, []];
    const imported = importOf(context, callee);
    const isNest = imported === undefined || NEST.test(imported.source);
    const name =
      imported?.name ??
      (callee.type === AST_NODE_TYPES.Identifier
        ? callee.name
        : callee.type === AST_NODE_TYPES.MemberExpression
          ? memberName(callee)
          : undefined);
    if (isNest && name !== undefined && names.includes(name)) return { node: use, args };
  }
  return undefined;
}

export function methodsOf(node: ClassNode): Method[] {
  return node.body.body.filter(
    (member): member is Method =>
      member.type === AST_NODE_TYPES.MethodDefinition &&
      member.value.type === AST_NODE_TYPES.FunctionExpression,
  );
}

export function methodOf(node: ClassNode, name: string): Method | undefined {
  return methodsOf(node).find((method) => keyName(method) === name);
}

const gateways = new WeakMap<ClassNode, Gateway | null>();

/** A class that Nest makes a gateway of, or the base class of one. */
export function gatewayOf(context: Context, node: ClassNode | undefined): Gateway | undefined {
  if (!node) return undefined;
  const known = gateways.get(node);
  if (known !== undefined) return known ?? undefined;
  const use = decorator(context, node, 'WebSocketGateway');
  const handlers = methodsOf(node).flatMap((method) => {
    const handles = decorator(context, method, 'SubscribeMessage');
    return handles ? [handlerOf(context, method)] : [];
  });
  const options = use?.args.find((argument) => argument.type === AST_NODE_TYPES.ObjectExpression);
  const gateway =
    use || handlers.length > 0 ? { node, decorator: use, options, handlers } : undefined;
  gateways.set(node, gateway ?? null);
  return gateway;
}

function handlerOf(context: Context, method: Method): Handler {
  const { params } = method.value;
  const isDecorated = params.some((param) => ((param as Decorated).decorators ?? []).length > 0);
  // Without decorators Nest passes the socket, the payload and the acknowledgement.
  const [first, second] = params;
  return {
    method,
    payload: isDecorated ? params.find((param) => decorator(context, param, ...PAYLOAD)) : second,
    socket: isDecorated
      ? params.find((param) => decorator(context, param, 'ConnectedSocket'))
      : first,
  };
}

/** The gateway's handler that a node stands in. */
export function handlerAround(
  context: Context,
  node: TSESTree.Node,
): { gateway: Gateway; handler: Handler } | undefined {
  const gateway = gatewayOf(context, enclosingClass(node));
  const handler = gateway?.handlers.find(
    ({ method }) => node.range[0] >= method.range[0] && node.range[1] <= method.range[1],
  );
  return gateway && handler ? { gateway, handler } : undefined;
}

/** A hook or a middleware that a node stands in: it is given the socket, and no payload. */
export function hookAround(context: Context, node: TSESTree.Node): Handler | undefined {
  const method = methodAround(node);
  if (!method) return undefined;
  const isHook =
    /^handle(?:Connection|Disconnect)$/.test(keyName(method) ?? '') &&
    gatewayOf(context, enclosingClass(node)) !== undefined;
  const uses = ancestors(node).some(
    (ancestor) =>
      ancestor.type === AST_NODE_TYPES.CallExpression && /^(?:use|on)$/.test(calledName(ancestor)),
  );
  if (!isHook && !uses) return undefined;
  return { method, payload: undefined, socket: isHook ? method.value.params[0] : undefined };
}

/** The class's method that a node stands in. */
export function methodAround(node: TSESTree.Node): Method | undefined {
  const owner = enclosingClass(node);
  return (
    owner &&
    methodsOf(owner).find(
      (method) => node.range[0] >= method.range[0] && node.range[1] <= method.range[1],
    )
  );
}

/** Methods that handle a broker's messages. */
export function consumersOf(context: Context, node: ClassNode): Method[] {
  return methodsOf(node).filter(
    (method) => consumes(context, method) ?? isOfKernel(context, method),
  );
}

/** Takes broker events as the server kernel hands them over, which acknowledges them itself. */
function isOfKernel(context: Context, method: Method): boolean {
  return method.decorators.some(
    ({ expression }) =>
      expression.type === AST_NODE_TYPES.CallExpression &&
      isImport(context, expression.callee, KERNEL, 'BrokerEvent'),
  );
}

/** Those that a RabbitMQ microservice calls: it leaves handlers of another transport alone. */
export function rmqConsumersOf(context: Context, node: ClassNode): Method[] {
  return methodsOf(node).filter((method) => {
    const use = consumes(context, method);
    const transport = use?.args[1];
    if (method.value.params.some((param) => isOfOtherTransport(param))) return false;
    // In its place there may be options.
    const isAny = !transport || transport.type === AST_NODE_TYPES.ObjectExpression;
    const isRmq =
      transport?.type === AST_NODE_TYPES.MemberExpression && memberName(transport) === 'RMQ';
    return use !== undefined && (isAny || isRmq);
  });
}

/** `@Ctx() context: KafkaContext` */
function isOfOtherTransport(param: TSESTree.Parameter): boolean {
  return typeNames(annotationOf(boundPattern(param))).some((type) =>
    /^(?:Kafka|Redis|Mqtt|Nats|Tcp)Context$/.test(lastName(type)),
  );
}

function consumes(context: Context, method: Method): DecoratorUse | undefined {
  return decorator(context, method, 'EventPattern', 'MessagePattern');
}

/** The name bound by a parameter, without its default and accessibility. */
export function boundPattern(param: TSESTree.Parameter): TSESTree.Node {
  if (param.type === AST_NODE_TYPES.TSParameterProperty) return boundPattern(param.parameter);
  if (param.type === AST_NODE_TYPES.AssignmentPattern) return param.left;
  return param.type === AST_NODE_TYPES.RestElement ? param.argument : param;
}

export function annotationOf(node: TSESTree.Node): TSESTree.TypeNode | undefined {
  return (node as { typeAnnotation?: TSESTree.TSTypeAnnotation }).typeAnnotation?.typeAnnotation;
}

/** The names of the types that an annotation is made of. */
export function typeNames(type: TSESTree.TypeNode | undefined): TSESTree.EntityName[] {
  if (type?.type === AST_NODE_TYPES.TSTypeReference) return [type.typeName];
  if (
    type?.type === AST_NODE_TYPES.TSUnionType ||
    type?.type === AST_NODE_TYPES.TSIntersectionType
  ) {
    return type.types.flatMap(typeNames);
  }
  return [];
}

export function lastName(type: TSESTree.EntityName): string {
  if (type.type === AST_NODE_TYPES.Identifier) return type.name;
  return type.type === AST_NODE_TYPES.TSQualifiedName ? type.right.name : 'this';
}

/** The entries of a list in a module's metadata: of `providers` and `controllers`. */
export function listed(metadata: TSESTree.Node | undefined, name: string): TSESTree.Identifier[] {
  if (metadata?.type !== AST_NODE_TYPES.ObjectExpression) return [];
  const entry = metadata.properties.find(
    (candidate): candidate is TSESTree.Property =>
      candidate.type === AST_NODE_TYPES.Property && keyName(candidate) === name,
  );
  return entry?.value.type === AST_NODE_TYPES.ArrayExpression
    ? entry.value.elements.filter(
        (element): element is TSESTree.Identifier => element?.type === AST_NODE_TYPES.Identifier,
      )
    : [];
}
