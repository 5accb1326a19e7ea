import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import type {
  CallExpression,
  Class,
  Expression,
  Node,
  ObjectExpression,
  Statement,
} from 'oxc-parser';
import { posix } from 'node:path';
import { parseTsConfigPaths } from './tsconfig-paths.js';
import { findAll, keyOf, parse } from '../wiring/index.js';
import type { Source } from '../wiring/index.js';

/** A file of the host that parses. */
export interface CodeFile {
  readonly path: string;
  readonly source: Source;
}

/** A declaration and the file that it stands in. */
export interface Declared {
  readonly file: CodeFile;
  readonly node: Node;
}

/** The hand-written TypeScript of one app, and what it imports from elsewhere in the workspace. */
export class AppCode {
  private readonly parsed = new Map<string, CodeFile | null>();
  private readonly aliases: ReturnType<typeof parseTsConfigPaths>;
  /** Paths of the app's own files, tests and generated ones left out. */
  readonly paths: readonly string[];

  constructor(
    private readonly tree: Tree,
    readonly sourceRoot: string,
    isGenerated: (path: string) => boolean,
  ) {
    this.aliases = parseTsConfigPaths(tree.read('tsconfig.base.json', 'utf-8'));
    this.paths = walk(tree, sourceRoot).filter(
      (path) =>
        /\.[cm]?ts$/.test(path) &&
        !/\.(?:spec|test|e2e-spec|d)\.[cm]?ts$/.test(path) &&
        !isGenerated(path),
    );
  }

  /** The app's files that hold one of these words. */
  filesWith(words: readonly string[]): CodeFile[] {
    return this.paths.flatMap((path) => {
      const text = this.tree.read(path, 'utf-8') ?? '';
      const file = words.some((word) => text.includes(word)) ? this.read(path) : null;
      return file ? [file] : [];
    });
  }

  /** A file of the workspace; null where there is none, or none that parses. */
  read(path: string): CodeFile | null {
    const held = this.parsed.get(path);
    if (held !== undefined) return held;
    const text =
      this.tree.exists(path) && this.tree.isFile(path) ? this.tree.read(path, 'utf-8') : null;
    const source = text === null ? 'no file' : parse(text, 'file.ts');
    const file = typeof source === 'string' ? null : { path, source };
    this.parsed.set(path, file);
    return file;
  }

  /** The file that an import names; null for packages. */
  imported(from: string, specifier: string): CodeFile | null {
    const bases = specifier.startsWith('.')
      ? [posix.join(posix.dirname(from), specifier)]
      : this.aliases(specifier);
    for (const base of bases) {
      const stem = base.replace(/\.[cm]?[jt]s$/, '');
      for (const path of [`${stem}.ts`, `${stem}.mts`, `${stem}/index.ts`]) {
        const file = this.read(path);
        if (file) return file;
      }
    }
    return null;
  }

  /** Resolves a name in a file: declared there, imported, or exported from a file that it names. */
  declaration(file: CodeFile, name: string, seen: readonly string[] = []): Declared | null {
    const key = `${file.path}#${name}`;
    if (seen.includes(key)) return null;
    const before = [...seen, key];
    for (const statement of file.source.program.body) {
      const node = declaredBy(statement, name);
      if (node) return { file, node };
      const next = forwarded(statement, name);
      const target = next && this.imported(file.path, next.from);
      const found = target && this.declaration(target, next.name, before);
      if (found) return found;
    }
    return null;
  }

  /** The class that an expression or a type names. */
  classNamed(file: CodeFile, name: string): (Declared & { readonly node: Class }) | null {
    const found = this.declaration(file, name);
    return found?.node.type === 'ClassDeclaration' ? { file: found.file, node: found.node } : null;
  }

  /** The text that an expression stands for, where it is constant. */
  constant(file: CodeFile, expression: Expression): string | null {
    const value = this.evaluate(file, expression, 0);
    return value?.node.type === 'Literal' && typeof value.node.value === 'string'
      ? value.node.value
      : value?.node.type === 'TemplateLiteral' && value.node.expressions.length === 0
        ? (value.node.quasis[0]?.value.cooked ?? null)
        : null;
  }

  private evaluate(file: CodeFile, expression: Node, depth: number): Declared | null {
    if (depth > 8) return null;
    const go = (at: CodeFile, node: Node): Declared | null => this.evaluate(at, node, depth + 1);
    switch (expression.type) {
      case 'TSAsExpression':
      case 'TSSatisfiesExpression':
      case 'ParenthesizedExpression':
        return go(file, expression.expression);
      case 'Identifier': {
        const found = this.declaration(file, expression.name);
        if (found?.node.type !== 'VariableDeclarator') return found;
        return found.node.init ? go(found.file, found.node.init) : null;
      }
      case 'MemberExpression': {
        const object = go(file, expression.object);
        const key = keyOf(expression.property);
        if (!object || key === null) return null;
        const member = memberValue(object.node, key);
        return member && go(object.file, member);
      }
      default:
        return { file, node: expression };
    }
  }
}

/** The line of a node, from 1. */
export function lineOf({ source }: CodeFile, node: { readonly start: number }): number {
  return source.text.slice(0, node.start).split('\n').length;
}

/** Text of a node. */
export const textOf = (
  { source }: CodeFile,
  node: { readonly start: number; readonly end: number },
): string => source.text.slice(node.start, node.end);

export { keyOf } from '../wiring/index.js';

/** The first argument of the first call of a function or a method, where it is an object. */
export function optionsOf({ program }: Source, name: string): ObjectExpression | null {
  const [call] = findAll(
    program,
    (node): node is CallExpression =>
      node.type === 'CallExpression' &&
      keyOf(node.callee.type === 'MemberExpression' ? node.callee.property : node.callee) === name,
  );
  const options = call?.node.arguments[0];
  return options?.type === 'ObjectExpression' ? options : null;
}

export const hasProperty = ({ properties }: ObjectExpression, name: string): boolean =>
  properties.some((one) => one.type === 'Property' && keyOf(one.key) === name);

/** The calls of decorators at a node, by name. */
export function decoratorsOf(
  node: Node,
): { readonly name: string; readonly args: readonly Expression[]; readonly node: Node }[] {
  const decorators = 'decorators' in node ? (node.decorators ?? []) : [];
  return decorators.flatMap((decorator) => {
    const { expression } = decorator;
    const callee = expression.type === 'CallExpression' ? expression.callee : expression;
    const name = callee.type === 'MemberExpression' ? keyOf(callee.property) : keyOf(callee);
    const args = expression.type === 'CallExpression' ? expression.arguments : [];
    return name === null ? [] : [{ name, args: args as Expression[], node: decorator }];
  });
}

function memberValue(node: Node, key: string): Node | null {
  if (node.type === 'ObjectExpression') {
    for (const property of node.properties) {
      if (property.type === 'Property' && keyOf(property.key) === key) return property.value;
    }
  }
  if (node.type === 'TSEnumDeclaration') {
    const member = node.body.members.find(({ id }) => keyOf(id) === key);
    return member?.initializer ?? null;
  }
  if (node.type === 'ClassDeclaration') {
    for (const member of node.body.body) {
      if (member.type === 'PropertyDefinition' && member.static && keyOf(member.key) === key) {
        return member.value;
      }
    }
  }
  return null;
}

function declaredBy(statement: Statement, name: string): Node | null {
  const isExport =
    statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration';
  const node: Node | null = isExport ? statement.declaration : statement;
  if (!node) return null;
  if (node.type === 'VariableDeclaration') {
    return node.declarations.find(({ id }) => id.type === 'Identifier' && id.name === name) ?? null;
  }
  const isNamed =
    (node.type === 'ClassDeclaration' ||
      node.type === 'TSInterfaceDeclaration' ||
      node.type === 'TSTypeAliasDeclaration' ||
      node.type === 'TSEnumDeclaration' ||
      node.type === 'FunctionDeclaration') &&
    (node.id?.name === name ||
      (name === 'default' && statement.type === 'ExportDefaultDeclaration'));
  return isNamed ? node : null;
}

function forwarded(statement: Statement, name: string): { from: string; name: string } | null {
  if (statement.type === 'ImportDeclaration') {
    const from = statement.source.value;
    for (const specifier of statement.specifiers) {
      if (specifier.local.name !== name) continue;
      if (specifier.type === 'ImportSpecifier')
        return { from, name: keyOf(specifier.imported) ?? name };
      return specifier.type === 'ImportDefaultSpecifier' ? { from, name: 'default' } : null;
    }
  }
  if (statement.type === 'ExportAllDeclaration') return { from: statement.source.value, name };
  if (statement.type === 'ExportNamedDeclaration' && statement.source) {
    const found = statement.specifiers.find(({ exported }) => keyOf(exported) === name);
    return found ? { from: statement.source.value, name: keyOf(found.local) ?? name } : null;
  }
  return null;
}

function walk(tree: Tree, folder: string): string[] {
  return tree.children(folder).flatMap((name) => {
    const path = joinPathFragments(folder, name);
    return tree.isFile(path) ? [path] : name === 'node_modules' ? [] : walk(tree, path);
  });
}
