import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { enclosingClass } from '../ast.js';
import { importOf } from '../imports.js';
import { decorator, handlerAround } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule, GATEWAY } from '../rule.js';

const HTTP =
  /^(?:HttpException|(?:BadRequest|Unauthorized|Forbidden|NotFound|Conflict|UnprocessableEntity|InternalServerError|NotAcceptable|PayloadTooLarge|Gone|MethodNotAllowed|ServiceUnavailable)Exception)$/;

export default createRule({
  name: 'no-http-exception-in-gateway',
  only: GATEWAY,
  docs: {
    description: 'Throw a WsException from a handler, not one of HTTP',
    area: 'gateway',
    severity: 'medium',
    why: "Nest's filter of gateways knows WsException alone: of any other the client learns `Internal server error`, and waits for an acknowledgement that does not come.",
    remedy:
      'Throw `new WsException(...)`, answer `{ ok: false, error }`, or bind a filter that turns the one into the other.',
    cwe: 755,
    recommended: false,
    usesProject: true,
  },
  messages: {
    http: 'The client gets "Internal server error" for this, whatever it says. Throw a WsException, or bind a filter that turns it into one.',
  },
  create: (context) => ({
    ThrowStatement({ argument }) {
      if (argument.type !== AST_NODE_TYPES.NewExpression) return;
      const imported = importOf(context, argument.callee);
      if (imported?.source !== '@nestjs/common' || !HTTP.test(imported.name)) return;
      const found = handlerAround(context, argument);
      if (!found || isCaught(argument)) return;
      const filters = [found.gateway.node, found.handler.method];
      if (filters.some((node) => decorator(context, node, 'UseFilters'))) return;
      const owner = enclosingClass(argument);
      const bases = owner?.superClass ? projectOf(context)?.basesOf(owner) : [];
      if (!bases || bases.some((base) => base.getText().includes('UseFilters'))) return;
      context.report({ node: argument, messageId: 'http' });
    },
  }),
});

function isCaught(node: TSESTree.Node): boolean {
  for (let current: TSESTree.Node = node; current.parent; current = current.parent) {
    const { parent } = current;
    if (parent.type === AST_NODE_TYPES.TryStatement && parent.block === current && parent.handler) {
      return true;
    }
    if (parent.type === AST_NODE_TYPES.MethodDefinition) return false;
  }
  return false;
}
