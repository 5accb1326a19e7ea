import type { Tree } from '@nx/devkit';
import type { Node } from 'oxc-parser';
import { dropFromLists, editFile, findAll } from '../wiring/index.js';
import { decoratorsOf, keyOf, lineOf } from './code.js';
import type { AppCode, CodeFile } from './code.js';
import type { Derived, Finding } from './derive.js';
import type { HandWritten } from './hand-written.js';
import { isPattern } from './hand-written.js';

/** Outcome of the hand-written classes. */
export interface Replaced {
  /** Modules that no longer provide one of them. */
  readonly unwired: readonly string[];
  /** Those that nothing of Nest makes any more. */
  readonly gone: readonly HandWritten[];
  readonly findings: readonly Finding[];
}

/** A place that names a class. */
interface Use {
  readonly file: CodeFile;
  readonly local: string;
  readonly node: Node;
  readonly isListed: boolean;
}

/**
 * Takes the hand-written gateways and consumers out of their modules, because two gateways on one
 * namespace would both answer. One that other code injects stays, as the app would not boot.
 * Their files stay as they are.
 */
export function replaceHandWritten(tree: Tree, { code, classes }: Derived): Replaced {
  const users = code.filesWith(classes.map(({ name }) => name));
  const uses = new Map(classes.map((one) => [one, usesOf(code, users, one)]));
  const kept = new Set<HandWritten>();
  const findings: Finding[] = [];
  for (let before = -1; before !== kept.size;) {
    before = kept.size;
    for (const one of classes) {
      const held = uses.get(one)!.filter(({ file, node, isListed }) => {
        const inside = classes.find(
          (other) =>
            other.file === file && other.node.start <= node.start && node.end <= other.node.end,
        );
        return !isListed && (inside === undefined || kept.has(inside));
      });
      if (held.length === 0 || kept.has(one)) continue;
      kept.add(one);
      for (const { file, node } of held) {
        findings.push({
          path: file.path,
          line: lineOf(file, node),
          what: `uses ${one.name}, which therefore still answers beside the generated code: send by the Broadcaster of the kernel or publish the event instead, then take ${one.name} out of its module`,
        });
      }
    }
  }
  const gone = classes.filter((one) => !kept.has(one));
  const lists = gone.flatMap((one) => uses.get(one)!.filter(({ isListed }) => isListed));
  const unwired = new Set<string>();
  for (const { file, local, node } of lists) {
    const edit = editFile(tree, file.path, (text) => dropFromLists(text, local));
    if (edit.kind === 'done') unwired.add(file.path);
    if (edit.kind === 'unable') {
      findings.push({
        path: file.path,
        line: lineOf(file, node),
        what: `provides ${local}, and could not be edited (${edit.reason}): take it out, or it answers beside the generated code`,
      });
    }
  }
  return {
    unwired: [...unwired],
    gone,
    findings: [...findings, ...gone.flatMap(unmerged)],
  };
}

/** Places where code of the app names a class. */
export function usesOf(
  code: AppCode,
  files: readonly CodeFile[],
  one: Pick<HandWritten, 'node'>,
): Use[] {
  return files.flatMap((file) =>
    findAll(
      file.source.program,
      (node): node is Extract<Node, { type: 'Identifier' }> => node.type === 'Identifier',
    ).flatMap(({ node, ancestors }): Use[] => {
      const isOther = ancestors.some(
        ({ type }) =>
          type === 'ImportDeclaration' ||
          (type.startsWith('Export') &&
            type !== 'ExportNamedDeclaration' &&
            type !== 'ExportDefaultDeclaration'),
      );
      if (isOther || ancestors.at(-1)?.type === 'ExportSpecifier' || one.node.id === node)
        return [];
      if (code.declaration(file, node.name)?.node !== one.node) return [];
      const parent = ancestors.at(-1);
      if (parent?.type === 'MemberExpression' && parent.property === node && !parent.computed)
        return [];
      const isListed = parent?.type === 'ArrayExpression' && inModule(ancestors);
      return [{ file, local: node.name, node, isListed }];
    }),
  );
}

function inModule(ancestors: readonly Node[]): boolean {
  return ancestors.some(
    (node) =>
      node.type === 'Decorator' &&
      node.expression.type === 'CallExpression' &&
      keyOf(node.expression.callee) === 'Module',
  );
}

/** Members whose work generated code does in another way, or not at all. */
function unmerged(written: HandWritten): Finding[] {
  const { file, node } = written;
  return node.body.body.flatMap((member): Finding[] => {
    if (member.type !== 'MethodDefinition' || member.kind === 'constructor') return [];
    const name = keyOf(member.key) ?? 'a member';
    const decorators = decoratorsOf(member);
    if (decorators.some((one) => one.name === 'SubscribeMessage')) return [];
    const what =
      LIFECYCLE[name] ?? (decorators.some((one) => isPattern(one.name)) ? BROKER : OTHER);
    return [
      { path: file.path, line: lineOf(file, member), what: `${written.name}.${name} ${what}` },
    ];
  });
}

const LIFECYCLE: Readonly<Record<string, string>> = {
  handleConnection:
    'is not called any more: the adapter verifies the token and joins the rooms. Move what else it does to the service',
  handleDisconnect: 'is not called any more. Move what it does beyond logging to the service',
  afterInit: 'is not called any more: the kernel sets the server up. Move what else it does',
};
const BROKER =
  'is not called any more: the generated consumer takes the event. Move what it does beyond sending it on to the code that publishes it, or to a consumer of its own';
const OTHER =
  'is not called any more. Move it to where it is needed; to send, use the Broadcaster of the kernel or publish the event';
