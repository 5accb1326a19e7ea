import type { CallExpression, Program } from 'oxc-parser';
import { posix } from 'node:path';
import { loadParser } from './parser.js';

/**
 * The file of the module that `NestFactory.create(<Module>)` boots, from the text of main.ts.
 *
 * @returns a path relative to the folder of main.ts, without extension, or null when main.ts has
 *   another shape, does not parse, or there is no parser
 */
export function rootModuleOf(mainText: string): string | null {
  const parsed = loadParser()?.parseSync('main.ts', mainText);
  if (!parsed || parsed.errors.length > 0) return null;
  const { program, module } = parsed;
  const symbol = createdModule(program);
  for (const statement of module.staticImports) {
    const imported = statement.entries.some((entry) => entry.localName.value === symbol);
    const from = statement.moduleRequest.value;
    if (symbol !== null && imported && from.startsWith('.')) {
      return posix.normalize(from.replace(/\.[cm]?js$/, ''));
    }
  }
  return null;
}

function createdModule(program: Program): string | null {
  let found: string | null = null;
  const visit = (node: unknown): void => {
    if (found !== null || typeof node !== 'object' || node === null) return;
    if (isCreate(node)) {
      const [argument] = node.arguments;
      if (argument?.type === 'Identifier') found = argument.name;
      return;
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(program);
  return found;
}

function isCreate(node: object): node is CallExpression {
  if (!('type' in node) || node.type !== 'CallExpression') return false;
  const { callee } = node as CallExpression;
  return (
    callee.type === 'MemberExpression' &&
    callee.object.type === 'Identifier' &&
    callee.object.name === 'NestFactory' &&
    callee.property.type === 'Identifier' &&
    callee.property.name === 'create'
  );
}
