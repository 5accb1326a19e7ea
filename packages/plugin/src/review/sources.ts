import { visitNotIgnoredFiles } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { parse as parseJsonc } from 'jsonc-parser';
import type { Class, Node, Program } from 'oxc-parser';
import { posix } from 'node:path';
import { loadParser } from '../host/index.js';
import type { HostProjects } from '../host/index.js';

/** Sources that are nobody's work, and large ones that a tool has made. */
const SKIPPED = /(?:^|\/)(?:node_modules|dist|\.next|\.nx|\.git|coverage)\//;
const SOURCE = /(?<!\.d)\.[cm]?[jt]sx?$/;
const LARGEST = 500_000;

/** Tests and mocks open, refuse and forge what no app may. */
export const TEST =
  /(?:^|\/)(?:__tests__|__mocks__|tests?|testing|e2e|[\w-]+-e2e)\/|\.(?:spec|test|e2e|e2e-spec|stories|mock)\.[cm]?[jt]sx?$/;

/** The sources at and below a folder, without what git ignores, by path. */
export function sourcesIn(tree: Tree, folder: string): Map<string, string> {
  const found = new Map<string, string>();
  visitNotIgnoredFiles(tree, folder, (file) => {
    const path = file.split('\\').join('/');
    if (SKIPPED.test(path) || !SOURCE.test(path)) return;
    const text = tree.read(path, 'utf-8');
    if (text !== null && text.length <= LARGEST) found.set(path, text);
  });
  return found;
}

/** A parsed file. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  /** By local name: what is imported from where; `*` for a whole module. */
  readonly imports: ReadonlyMap<string, Import>;
  /** By exported name. */
  readonly exports: ReadonlyMap<string, { readonly local: string } | Import>;
  /** Modules of which everything is exported again. */
  readonly stars: readonly string[];
}

export interface Import {
  readonly from: string;
  readonly name: string;
}

/** The package of the server kernel. */
const KERNEL = '@nx-realtime/nest';

/** True for a name, or the member of a namespace, that a file imports from the server kernel. */
export function isOfKernel({ imports }: SourceFile, node: Node, name: string): boolean {
  const isMember = node.type === 'MemberExpression';
  const local = isMember ? node.object : node;
  const imported = local.type === 'Identifier' ? imports.get(local.name) : undefined;
  if (imported?.from !== KERNEL) return false;
  return isMember
    ? imported.name === '*' && node.property.type === 'Identifier' && node.property.name === name
    : imported.name === name;
}

/** A declaration with the file that holds it. */
export interface Declared<T extends Node = Node> {
  readonly file: SourceFile;
  readonly node: T;
}

/** A class by the file that declares it: `apps/api/src/a.module.ts#AModule` */
export const keyOf = ({ file, node }: Declared<Class>): string =>
  `${file.path}#${node.id?.name ?? 'default'}`;

/** Follows names from file to file. What leaves the workspace is `external`, what cannot be followed `lost`. */
export class Sources {
  private readonly files = new Map<string, SourceFile | null>();
  private readonly aliases: readonly (readonly [string, readonly string[]])[];
  private readonly packages = new Map<string, string>();

  constructor(
    private readonly tree: Tree,
    projects: HostProjects,
  ) {
    this.aliases = pathsOf(tree);
    for (const { root, sourceRoot } of projects.list()) {
      const text = tree.read(posix.join(root, 'package.json'), 'utf-8');
      const name =
        text === null ? undefined : (parseJsonc(text) as { name?: string } | undefined)?.name;
      if (name !== undefined && root !== '.') this.packages.set(name, sourceRoot);
    }
  }

  /** Null for a file that is not there or does not parse. */
  get(path: string): SourceFile | null {
    let file = this.files.get(path);
    if (file === undefined) {
      const text = this.tree.read(path, 'utf-8');
      file = text === null ? null : parseFile(path, text);
      this.files.set(path, file);
    }
    return file;
  }

  /** Declaration behind a name in a file: a class, a function or a variable of the workspace. */
  declaration(file: SourceFile, name: string): Declared | 'external' | 'lost' {
    const own = declaredIn(file, name);
    if (own) return { file, node: own };
    const imported = file.imports.get(name);
    return imported ? this.imported(file, imported) : 'lost';
  }

  private imported(
    file: SourceFile,
    { from, name }: Import,
    seen = new Set<string>(),
  ): Declared | 'external' | 'lost' {
    const path = this.resolve(file.path, from);
    if (path === 'external' || path === 'lost') return path;
    const target = this.get(path);
    if (!target || seen.has(`${path}#${name}`)) return 'lost';
    seen.add(`${path}#${name}`);
    const exported = target.exports.get(name);
    if (exported && 'local' in exported) return this.declaration(target, exported.local);
    if (exported) return this.imported(target, exported, seen);
    for (const star of target.stars) {
      const found = this.imported(target, { from: star, name }, seen);
      if (typeof found !== 'string') return found;
    }
    return 'lost';
  }

  /** The file that an import names. */
  private resolve(importer: string, from: string): string {
    if (from.startsWith('.')) {
      return this.fileAt(posix.join(posix.dirname(importer), from)) ?? 'lost';
    }
    // Known by its name, wherever its sources are.
    if (from === KERNEL || from.startsWith(`${KERNEL}/`)) return 'external';
    for (const [pattern, targets] of this.aliases) {
      const rest = matched(pattern, from);
      if (rest === undefined) continue;
      for (const target of targets) {
        const path = this.fileAt(posix.normalize(target.replace('*', rest)));
        if (path !== undefined) return path;
      }
    }
    for (const [name, sourceRoot] of this.packages) {
      if (from === name) return this.fileAt(posix.join(sourceRoot, 'index')) ?? 'lost';
      if (!from.startsWith(`${name}/`)) continue;
      const rest = from.slice(name.length + 1);
      return this.fileAt(posix.join(sourceRoot, rest)) ?? 'lost';
    }
    return 'external';
  }

  private fileAt(path: string): string | undefined {
    const bare = path.replace(/\.[cm]?jsx?$/, '');
    const candidates = [
      path,
      ...['ts', 'tsx', 'mts', 'cts'].map((extension) => `${bare}.${extension}`),
      ...['ts', 'tsx', 'js', 'jsx', 'mjs', 'cjs'].map((extension) => `${path}.${extension}`),
      ...['ts', 'tsx', 'js'].map((extension) => `${path}/index.${extension}`),
    ];
    return candidates.find((candidate) => SOURCE.test(candidate) && this.tree.isFile(candidate));
  }
}

function matched(pattern: string, from: string): string | undefined {
  const [head = '', tail] = pattern.split('*');
  if (tail === undefined) return from === pattern ? '' : undefined;
  return from.startsWith(head) && from.endsWith(tail) && from.length >= head.length + tail.length
    ? from.slice(head.length, from.length - tail.length)
    : undefined;
}

/** The `paths` of the root's tsconfig, relative to the workspace. */
function pathsOf(tree: Tree): [string, string[]][] {
  for (const name of ['tsconfig.base.json', 'tsconfig.json']) {
    const text = tree.read(name, 'utf-8');
    if (text === null) continue;
    const { compilerOptions: { baseUrl = '.', paths = {} } = {} } = (parseJsonc(text) ?? {}) as {
      compilerOptions?: { baseUrl?: string; paths?: Record<string, string[]> };
    };
    return Object.entries(paths).map(([pattern, targets]) => [
      pattern,
      targets.map((target) => posix.join(baseUrl, target)),
    ]);
  }
  return [];
}

function parseFile(path: string, text: string): SourceFile | null {
  const parser = loadParser();
  if (!parser) return null;
  const { program, module, errors } = parser.parseSync(posix.basename(path), text);
  if (errors.length > 0) return null;
  const imports = new Map<string, Import>();
  for (const { moduleRequest, entries } of module.staticImports) {
    for (const { localName, importName } of entries) {
      const name =
        importName.kind === 'NamespaceObject'
          ? '*'
          : importName.kind === 'Default'
            ? 'default'
            : (importName.name ?? '');
      imports.set(localName.value, { from: moduleRequest.value, name });
    }
  }
  const exports = new Map<string, { local: string } | Import>();
  const stars: string[] = [];
  for (const { moduleRequest, importName, exportName, localName } of module.staticExports.flatMap(
    ({ entries }) => entries,
  )) {
    const exported = exportName.kind === 'Default' ? 'default' : exportName.name;
    if (moduleRequest && importName.kind === 'AllButDefault') stars.push(moduleRequest.value);
    else if (moduleRequest && exported !== null) {
      exports.set(exported, { from: moduleRequest.value, name: importName.name ?? 'default' });
    } else if (exported !== null && localName.name !== null) {
      exports.set(exported, { local: localName.name });
    }
  }
  return { path, text, program, imports, exports, stars };
}

function declaredIn({ program }: SourceFile, name: string): Node | undefined {
  for (const statement of program.body) {
    const node =
      (statement.type === 'ExportNamedDeclaration' ||
        statement.type === 'ExportDefaultDeclaration') &&
      statement.declaration
        ? statement.declaration
        : statement;
    if (
      (node.type === 'ClassDeclaration' || node.type === 'FunctionDeclaration') &&
      node.id?.name === name
    ) {
      return node;
    }
    if (node.type !== 'VariableDeclaration') continue;
    const variable = node.declarations.find(
      ({ id }) => id.type === 'Identifier' && id.name === name,
    );
    if (variable?.init) return variable.init;
  }
  return undefined;
}
