import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { contains, isFunction, memberName, walk } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import {
  annotationOf,
  boundPattern,
  decorator,
  gatewayOf,
  lastName,
  methodOf,
  typeNames,
} from '../nest.js';
import { createRule, GATEWAY } from '../rule.js';

const DATA =
  /^(?:Repository|TreeRepository|MongoRepository|EntityRepository|Model|EntityManager|DataSource|Connection|Prisma\w*|MikroORM|Sequelize|Knex|Kysely)$/;

export default createRule<'data' | 'long', readonly [{ readonly maxStatements: number }]>({
  name: 'no-logic-in-gateway',
  only: GATEWAY,
  docs: {
    description: 'Keep business logic out of gateways',
    area: 'gateway',
    severity: 'low',
    why: 'What a gateway does itself can be reached by a socket only: it cannot be used from HTTP or a consumer, and not be tested without one.',
    remedy:
      'Let the handler pass the checked payload and the user to a service, and answer what it returns.',
    recommended: false,
  },
  schema: [
    {
      type: 'object',
      properties: { maxStatements: { type: 'integer', minimum: 1 } },
      additionalProperties: false,
    },
  ],
  defaultOptions: [{ maxStatements: 12 }],
  messages: {
    data: 'A gateway that reads and writes data itself can be used by sockets alone. Put it into a service.',
    long: 'This handler has {{count}} statements (at most {{max}}). Put what it decides into a service.',
  },
  create(context, [{ maxStatements }]) {
    const check = (node: ClassNode): void => {
      const gateway = gatewayOf(context, node);
      if (!gateway) return;
      for (const param of methodOf(node, 'constructor')?.value.params ?? []) {
        if (isData(context, param) && isUsed(context, node, param)) {
          context.report({ node: param, messageId: 'data' });
        }
      }
      for (const { method } of gateway.handlers) {
        const count = statements(context, method.value);
        if (count <= maxStatements) continue;
        const data = { count: String(count), max: String(maxStatements) };
        context.report({ node: method.key, messageId: 'long', data });
      }
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

function isData(context: Context, param: TSESTree.Parameter): boolean {
  if (decorator(context, param, 'InjectRepository', 'InjectModel', 'InjectConnection')) return true;
  return typeNames(annotationOf(boundPattern(param))).some((type) => DATA.test(lastName(type)));
}

/** A field that only a decorator asks for, such as the one of a transaction, does nothing here. */
function isUsed(context: Context, owner: ClassNode, param: TSESTree.Parameter): boolean {
  const bound = boundPattern(param);
  return contains(
    context,
    owner.body,
    (node) =>
      node.type === AST_NODE_TYPES.MemberExpression &&
      node.object.type === AST_NODE_TYPES.ThisExpression &&
      'name' in bound &&
      memberName(node) === bound.name,
  );
}

function statements(context: Context, root: TSESTree.FunctionExpression): number {
  let count = 0;
  walk(context, root, (node) => {
    if (node !== root && isFunction(node)) return false;
    if (
      /(?:Statement|Declaration)$/.test(node.type) &&
      node.type !== AST_NODE_TYPES.BlockStatement
    ) {
      count += 1;
    }
    return true;
  });
  return count;
}
