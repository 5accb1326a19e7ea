import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { keyName, memberName, unwrap } from '../ast.js';
import { boundPattern, decorator, handlerAround } from '../nest.js';
import { isAuthorized, pathInPayload } from '../payload.js';
import { createRule, SERVER } from '../rule.js';

const NAMES = ['tenantId', 'tenant_id', 'tenant', 'organizationId', 'organisationId', 'orgId'];

export default createRule<
  'payload' | 'handshake',
  readonly [{ readonly names: readonly string[] }]
>({
  name: 'no-tenant-from-payload',
  only: SERVER,
  docs: {
    description: 'Take the tenant from the verified token alone',
    area: 'rooms',
    severity: 'high',
    why: 'A client that says which tenant it belongs to can say another one.',
    remedy: 'Read the tenant from the claims in `socket.data`, and leave it out of the payload.',
    cwe: 639,
    recommended: false,
  },
  schema: [
    {
      type: 'object',
      properties: { names: { type: 'array', items: { type: 'string' } } },
      additionalProperties: false,
    },
  ],
  defaultOptions: [{ names: NAMES }],
  messages: {
    payload:
      'The client says which tenant it acts for. Take it from the claims of the verified token.',
    handshake:
      'The client says at the handshake which tenant it belongs to. Take it from the claims of the verified token.',
  },
  create(context, [{ names }]) {
    const isTenant = (name: string | undefined): boolean => names.includes(name ?? '');
    const checkPayload = (node: TSESTree.Node): void => {
      const handler = handlerAround(context, node)?.handler;
      if (!handler) return;
      const path = pathInPayload(context, node, handler);
      if (!path || !isTenant(path.at(-1)) || isAuthorized(context, node, handler)) return;
      context.report({ node, messageId: 'payload' });
    };
    return {
      MemberExpression(node) {
        if (!isTenant(memberName(node))) {
          const name = memberName(node)?.toLowerCase() ?? '';
          if (name === 'x-tenant-id' && isOfHandshake(node.object)) {
            context.report({ node, messageId: 'handshake' });
          }
          return;
        }
        if (isOfHandshake(node.object)) context.report({ node, messageId: 'handshake' });
        else checkPayload(node);
      },
      VariableDeclarator({ id, init }) {
        if (id.type !== AST_NODE_TYPES.ObjectPattern || !init) return;
        for (const entry of id.properties) {
          if (entry.type !== AST_NODE_TYPES.Property || !isTenant(keyName(entry))) continue;
          if (isOfHandshake(init)) context.report({ node: entry, messageId: 'handshake' });
          else {
            const handler = handlerAround(context, init)?.handler;
            if (
              handler &&
              pathInPayload(context, init, handler) &&
              !isAuthorized(context, id, handler)
            ) {
              context.report({ node: entry, messageId: 'payload' });
            }
          }
        }
      },
      MethodDefinition(node) {
        const handler = handlerAround(context, node)?.handler;
        if (handler?.method !== node || !handler.payload) return;
        const pattern = boundPattern(handler.payload);
        const [key] = decorator(context, handler.payload, 'MessageBody')?.args ?? [];
        if (key?.type === AST_NODE_TYPES.Literal && isTenant(String(key.value))) {
          context.report({ node: handler.payload, messageId: 'payload' });
        }
        if (pattern.type !== AST_NODE_TYPES.ObjectPattern) return;
        for (const entry of pattern.properties) {
          if (entry.type === AST_NODE_TYPES.Property && isTenant(keyName(entry))) {
            context.report({ node: entry, messageId: 'payload' });
          }
        }
      },
    };
  },
});

/** `handshake.auth`, `.query` and `.headers`. */
function isOfHandshake(node: TSESTree.Node): boolean {
  const source = unwrap(node);
  if (source.type !== AST_NODE_TYPES.MemberExpression) return false;
  if (!['auth', 'query', 'headers'].includes(memberName(source) ?? '')) return false;
  const owner = unwrap(source.object);
  return owner.type === AST_NODE_TYPES.MemberExpression && memberName(owner) === 'handshake';
}
