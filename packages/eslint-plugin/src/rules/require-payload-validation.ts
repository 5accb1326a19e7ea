import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, contains, memberName, unwrap, variableOf } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import { boundPattern, decorator, gatewayOf, PAYLOAD } from '../nest.js';
import type { Handler } from '../nest.js';
import { pathInPayload } from '../payload.js';
import { projectOf } from '../project.js';
import { createRule, GATEWAY } from '../rule.js';

export default createRule({
  name: 'require-payload-validation',
  only: GATEWAY,
  docs: {
    description: 'Validate what a client sends before it is used',
    area: 'gateway',
    severity: 'high',
    why: 'A type says nothing at run time, and on Nest 11 global pipes do not apply to gateways: a handler gets whatever a client sends, arrays and nested objects for a database included.',
    remedy:
      'Bind a pipe to the gateway, the handler or the parameter: `@UsePipes(new ValidationPipe({ whitelist: true, ... }))`, or one that parses with a schema.',
    cwe: 20,
    recommended: true,
  },
  messages: {
    unchecked:
      'Nothing checks what the client sends: global pipes do not apply to gateways (Nest 11). Bind a pipe here, or parse it with a schema.',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      const gateway = gatewayOf(context, node);
      if (!gateway || decorator(context, node, 'UsePipes')) return;
      // The base class may bind a pipe.
      if (node.superClass) {
        const bases = projectOf(context)?.basesOf(node);
        if (!bases || bases.some((base) => /UsePipes|Pipe\b/.test(base.getText()))) return;
      }
      for (const handler of gateway.handlers) {
        const { payload, method } = handler;
        if (!payload || decorator(context, method, 'UsePipes')) continue;
        if (hasPipe(context, payload) || !isUsed(context, payload, method.value.body)) continue;
        if (isParsed(context, handler)) continue;
        context.report({ node: payload, messageId: 'unchecked' });
      }
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

/** `@MessageBody(new SomePipe())` and `@MessageBody('id', ParseIntPipe)`. */
function hasPipe(context: Context, payload: TSESTree.Parameter): boolean {
  const args = decorator(context, payload, ...PAYLOAD)?.args ?? [];
  return args.some((argument) => argument.type !== AST_NODE_TYPES.Literal);
}

function isUsed(
  context: Context,
  payload: TSESTree.Parameter,
  body: TSESTree.BlockStatement | null,
): boolean {
  const pattern = boundPattern(payload);
  if (pattern.type !== AST_NODE_TYPES.Identifier) return true;
  const variable = variableOf(context, pattern);
  return body !== null && (variable?.references.length ?? 0) > 0;
}

const PARSES =
  /^(?:parse\w*|safeParse\w*|validate\w*|is[A-Z]\w*|assert\w*|plainToInstance|plainToClass|transform)$/;

/** The handler looks at what it got: with a schema, a validator, or `typeof`. */
function isParsed(context: Context, handler: Handler): boolean {
  const { body } = handler.method.value;
  if (!body) return true;
  const isPayload = (node: TSESTree.Node): boolean => {
    const value = unwrap(node);
    const path = pathInPayload(context, value, handler);
    return path !== undefined && path[0] !== 'handshake';
  };
  const isAll = (node: TSESTree.Node): boolean =>
    pathInPayload(context, unwrap(node), handler)?.length === 0;
  return contains(context, body, (node) => {
    if (node.type === AST_NODE_TYPES.UnaryExpression) {
      return node.operator === 'typeof' && isPayload(node.argument);
    }
    if (node.type === AST_NODE_TYPES.BinaryExpression) {
      return node.operator === 'instanceof' && isPayload(node.left);
    }
    if (node.type !== AST_NODE_TYPES.CallExpression) return false;
    const name = calledName(node);
    // `JSON.parse` turns text into data, checked by nobody.
    const callee = unwrap(node.callee);
    const isJson =
      callee.type === AST_NODE_TYPES.MemberExpression &&
      memberName(callee) === 'parse' &&
      callee.object.type === AST_NODE_TYPES.Identifier &&
      callee.object.name === 'JSON';
    const isArgument = node.arguments.some(
      (argument) =>
        isPayload(argument) ||
        (argument.type === AST_NODE_TYPES.Identifier &&
          argument === unwrap(argument) &&
          isPayload(argument)),
    );
    // `assertMember(dto.id)` asks who may, not what it is.
    const isWhole = node.arguments.some((argument) => isAll(argument));
    return !isJson && PARSES.test(name) && isArgument && (isWhole || !/^assert/.test(name));
  });
}
