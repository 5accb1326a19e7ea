import { visitNotIgnoredFiles } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import type { CallExpression, Node } from 'oxc-parser';
import { posix } from 'node:path';
import type { WebFacts } from '../host/index.js';
import { MANIFEST_PATH, parseManifest } from '../reconcile/index.js';
import { findAll, isClass, kindOf, parse } from '../wiring/index.js';
import { decoratorsOf, keyOf, lineOf } from './code.js';
import type { CodeFile } from './code.js';
import type { Derived, Finding } from './derive.js';
import { usesOf } from './replace.js';

/**
 * The hand-written code that stays beside a domain that was adopted, and works otherwise from now on: the
 * adapter that the app installs, its other gateways, and the pages that connect by themselves.
 *
 * @param web the app that has the domain's hook
 */
export function otherCode(tree: Tree, derived: Derived, web: WebFacts | undefined): Finding[] {
  return [
    ...adapters(derived),
    ...gateways(derived),
    ...(web === undefined ? [] : clients(tree, derived, web)),
  ];
}

function adapters({ code }: Derived): Finding[] {
  return code.filesWith(['useWebSocketAdapter']).flatMap((file) =>
    callsIn(file.source.program)
      .filter(
        ({ callee }) =>
          callee.type === 'MemberExpression' && keyOf(callee.property) === 'useWebSocketAdapter',
      )
      .map((call) => ({
        path: file.path,
        line: lineOf(file, call),
        what: 'installs an adapter that setupRealtime() replaces: take this line and the adapter out. Origins and Redis are variables now (REALTIME_ORIGINS, REDIS_URL); what else it did has no place in the kernel: a proxy or a middleware may do it',
      })),
  );
}

function gateways({ code, classes }: Derived): Finding[] {
  return code.filesWith(['WebSocketGateway']).flatMap((file) =>
    findAll(file.source.program, isClass).flatMap(({ node }) => {
      const name = node.id?.name ?? '';
      const isOther =
        decoratorsOf(node).some((one) => one.name === 'WebSocketGateway') &&
        !classes.some((one) => one.node === node) &&
        // One that no module lists is there no more: it was adopted before.
        usesOf(code, code.filesWith([name]), { node }).some(({ isListed }) => isListed);
      return isOther
        ? [
            {
              path: file.path,
              line: lineOf(file, node.id ?? node),
              what: `${name} stays, and the generated adapter asks its clients for a token in "auth" from now on: adopt it as well`,
            },
          ]
        : [];
    }),
  );
}

const SOURCE = /(?<!\.(?:d|spec|test))\.[cm]?[jt]sx?$/;

/** Places where a page opens a connection to the domain's namespace itself. */
function clients(tree: Tree, { classes, names }: Derived, web: WebFacts): Finding[] {
  const namespaces = classes.flatMap(({ kind, namespace }) =>
    kind === 'gateway' ? [pathOf(`/${namespace ?? ''}`)] : [],
  );
  const hook = `use${names.pascalPlural}Socket()`;
  const folder = `${web.sourceRoot}/features/${names.kebabPlural}/realtime`;
  const { files: generated } = parseManifest(tree.read(MANIFEST_PATH, 'utf-8'));
  const paths: string[] = [];
  visitNotIgnoredFiles(tree, web.sourceRoot, (path) => {
    const slashed = path.split('\\').join('/');
    if (SOURCE.test(slashed) && !generated.has(slashed)) paths.push(slashed);
  });
  return paths.flatMap((path) => {
    const text = tree.read(path, 'utf-8') ?? '';
    if (!text.includes('socket.io-client')) return [];
    const source = parse(text, kindOf(path));
    if (typeof source === 'string') return [];
    const file: CodeFile = { path, source };
    const connects = connectorsOf(file);
    return callsIn(source.program)
      .filter(
        ({ callee, arguments: [address] }) =>
          callee.type === 'Identifier' &&
          connects.has(callee.name) &&
          namespaces.includes(namespaceIn(address)),
      )
      .map((call) => ({
        path,
        line: lineOf(file, call),
        what: `opens a connection of its own: use ${hook} of ${folder} in its place, which sends the token as the server asks for it now`,
      }));
  });
}

/** Local names of `io()` of socket.io-client. */
function connectorsOf({ source }: CodeFile): Set<string> {
  return new Set(
    source.program.body.flatMap((statement) =>
      statement.type === 'ImportDeclaration' && statement.source.value === 'socket.io-client'
        ? statement.specifiers
            .filter(
              (one) =>
                one.type === 'ImportDefaultSpecifier' ||
                (one.type === 'ImportSpecifier' &&
                  ['io', 'connect', 'default'].includes(keyOf(one.imported) ?? '')),
            )
            .map(({ local }) => local.name)
        : [],
    ),
  );
}

/** The namespace that an address ends with, as far as it is constant: `/chat` of `${url}/chat` */
function namespaceIn(address: Node | undefined): string {
  return pathOf(constantEnd(address).replace(/^[a-z]+:\/\/[^/]*/, ''));
}

function constantEnd(address: Node | undefined): string {
  if (address?.type === 'Literal' && typeof address.value === 'string') return address.value;
  if (address?.type === 'TemplateLiteral') return address.quasis.at(-1)?.value.cooked ?? '';
  if (address?.type === 'BinaryExpression' && address.operator === '+') {
    return constantEnd(address.right);
  }
  return '';
}

const pathOf = (text: string): string =>
  posix.join('/', text.split('?')[0] ?? '').replace(/(?<=.)\/$/, '');

const callsIn = (root: Node): CallExpression[] =>
  findAll(root, (node): node is CallExpression => node.type === 'CallExpression').map(
    ({ node }) => node,
  );
