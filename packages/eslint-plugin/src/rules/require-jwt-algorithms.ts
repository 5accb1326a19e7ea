import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  enclosingClass,
  initializerOf,
  isOpen,
  keyName,
  methodCall,
  property,
  unwrap,
} from '../ast.js';
import type { Context } from '../ast.js';
import { importOf } from '../imports.js';
import { annotationOf, boundPattern, typeNames } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'require-jwt-algorithms',
  only: /socket\.io|@nestjs\/websockets|switchToWs|WsException/,
  docs: {
    description: 'Pin the algorithms that a token may be signed with',
    area: 'authentication',
    severity: 'medium',
    severities: { unpinned: 'high' },
    why: 'Without the pin the header of the token chooses how it is verified. A public key that arrives escaped from an env variable is then taken for an HMAC secret, and everybody knows it.',
    remedy:
      'Pass `algorithms: ["RS256"]` (or the one that you sign with), once in `verifyOptions` of JwtModule or with each call.',
    cwe: 347,
    recommended: true,
    usesProject: true,
  },
  messages: {
    secret:
      'Any algorithm that takes this secret is accepted. Pass the algorithms, here or in verifyOptions of JwtModule.',
    unpinned:
      'The token chooses how it is verified. Pass the algorithms, here or in verifyOptions of JwtModule.',
  },
  create: (context) => ({
    CallExpression(node) {
      const options = optionsOf(context, node);
      if (options === undefined) return;
      if (options && property(options, 'algorithms')) return;
      if (options?.type === AST_NODE_TYPES.ObjectExpression && isOpen(options)) return;
      // Options that are made elsewhere are not judged.
      if (options && options.type !== AST_NODE_TYPES.ObjectExpression) return;
      if (isService(context, node) && projectOf(context)?.facts.pinsAlgorithms) return;
      const hasKey =
        importOf(context, node.callee)?.source === 'jose' ||
        /public_?key|jwks|\.pem\b|certificate/i.test(context.sourceCode.getText(node)) ||
        (isService(context, node) && projectOf(context)?.facts.usesPublicKey === true);
      context.report({ node, messageId: hasKey ? 'unpinned' : 'secret' });
    },
  }),
});

/** The options of a verification, `null` where it has none; `undefined`: no verification. */
function optionsOf(
  context: Context,
  node: TSESTree.CallExpression,
): TSESTree.Node | null | undefined {
  const imported = importOf(context, node.callee);
  const isLibrary =
    (imported?.source === 'jsonwebtoken' && imported.name === 'verify') ||
    (imported?.source === 'jose' && imported.name === 'jwtVerify');
  if (!isLibrary && !isService(context, node)) return undefined;
  const argument = node.arguments[isLibrary ? 2 : 1];
  if (!argument) return null;
  const options = unwrap(argument);
  if (options.type === AST_NODE_TYPES.Identifier) return initializerOf(context, options) ?? options;
  // `verify(token, secret, callback)`
  return options.type === AST_NODE_TYPES.ArrowFunctionExpression ||
    options.type === AST_NODE_TYPES.FunctionExpression
    ? null
    : options;
}

/** `this.jwt.verify()`, where `jwt` is injected as a JwtService. */
function isService(context: Context, node: TSESTree.CallExpression): boolean {
  const call = methodCall(node);
  if (!call || !['verify', 'verifyAsync'].includes(call.name)) return false;
  const object = unwrap(call.object);
  if (
    object.type !== AST_NODE_TYPES.MemberExpression ||
    object.object.type !== AST_NODE_TYPES.ThisExpression ||
    object.property.type === AST_NODE_TYPES.PrivateIdentifier
  ) {
    return false;
  }
  const { property: name } = object;
  const members = enclosingClass(node)?.body.body ?? [];
  const declared = members.flatMap((member) => {
    if (member.type === AST_NODE_TYPES.PropertyDefinition) {
      return keyName(member) === (name as TSESTree.Identifier).name
        ? [member as TSESTree.Node]
        : [];
    }
    return member.type === AST_NODE_TYPES.MethodDefinition && member.kind === 'constructor'
      ? member.value.params
          .map(boundPattern)
          .filter((bound) => 'name' in bound && bound.name === (name as TSESTree.Identifier).name)
      : [];
  });
  return declared
    .flatMap((bound) => typeNames(annotationOf(bound)))
    .some((type) => importOf(context, type)?.source === '@nestjs/jwt');
}
