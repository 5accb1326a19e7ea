import { createHash } from 'node:crypto';
import { dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';

const REPO = join(import.meta.dirname, '../../../..');

/** Sources that are compiled as if they were a folder of this repository. */
export interface Unit {
  readonly name: string;
  /** Text by path. */
  readonly files: ReadonlyMap<string, string>;
  /** As in a tsconfig, from the unit's folder. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /** What its package.json says of its modules. */
  readonly type: 'commonjs' | 'module';
}

/** `paths` of a unit to the kernels' sources, as where they are ejected. */
export const KERNEL_PATHS = {
  '@nx-realtime/react': ['../../../../react/src/index.ts'],
  '@nx-realtime/nest': ['../../../../nest/src/index.ts'],
  '@nx-realtime/nest/*': ['../../../../nest/src/*/index.ts'],
};

/**
 * Compiles several units as one program, as `tsc -p` would, without writing them. A file that is the same in
 * several of them, with all that it imports, is compiled once.
 *
 * @param options as the compiler has them after reading a tsconfig; `paths` are the units' own
 * @returns what the compiler finds, a line each, in its own format; that of a file is named by the first unit
 * that has it
 */
export function compile(units: readonly Unit[], options: ts.CompilerOptions): string[] {
  const root = join(REPO, 'packages/plugin/tmp/compiled').replaceAll(sep, '/');
  const virtual = new Virtual(root, units, options);
  const base = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...base,
    ...virtual.host(base),
    getCurrentDirectory: () => root,
    getSourceFile: (path, language, onError) => {
      if (!/\.d\.[cm]?ts$/.test(path) || virtual.holds(path)) {
        const text = virtual.read(path) ?? base.readFile(path);
        return text === undefined ? undefined : ts.createSourceFile(path, text, language, true);
      }
      const { languageVersion, impliedNodeFormat } =
        typeof language === 'object' ? language : { languageVersion: language };
      const key = [path, languageVersion, impliedNodeFormat].join('\0');
      const known = declarations.get(key) ?? base.getSourceFile(path, language, onError);
      if (known) declarations.set(key, known);
      return known;
    },
    resolveModuleNameLiterals: (literals, from, _redirect, _options, source) =>
      literals.map((literal) =>
        virtual.resolve(
          literal.text,
          from,
          ts.getModeForUsageLocation(source, literal, options),
          host,
        ),
      ),
  };
  const program = ts.createProgram(virtual.roots(host), options, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    const text = `error TS${diagnostic.code}: ${message}`;
    if (!diagnostic.file) return text;
    const { line, character } = diagnostic.file.getLineAndCharacterOfPosition(
      diagnostic.start ?? 0,
    );
    return `${relative(root, diagnostic.file.fileName)}(${line + 1},${character + 1}): ${text}`;
  });
}

/** Parsed once, whatever the options: those of the compiler say nothing of a declaration file's syntax. */
const declarations = new Map<string, ts.SourceFile>();

/** The units as files below a folder that is not there. */
class Virtual {
  private readonly texts = new Map<string, string>();
  private readonly folders = new Set<string>();
  private readonly unitOf = new Map<string, Unit>();
  /** By path, the path of the file that stands for it. */
  private readonly same = new Map<string, string>();
  private readonly caches = new Map<Unit, ts.ModuleResolutionCache>();

  constructor(
    private readonly root: string,
    units: readonly Unit[],
    private readonly options: ts.CompilerOptions,
  ) {
    for (const unit of units) {
      this.add(unit, 'package.json', JSON.stringify({ type: unit.type }));
      for (const [path, text] of unit.files) this.add(unit, path, text);
    }
  }

  holds(path: string): boolean {
    return path.startsWith(`${this.root}/`);
  }

  read(path: string): string | undefined {
    return this.texts.get(path);
  }

  host(base: ts.CompilerHost): Pick<ts.CompilerHost, 'fileExists' | 'readFile'> & {
    directoryExists: (path: string) => boolean;
    realpath: (path: string) => string;
  } {
    return {
      fileExists: (path) => (this.holds(path) ? this.texts.has(path) : base.fileExists(path)),
      readFile: (path) => (this.holds(path) ? this.texts.get(path) : base.readFile(path)),
      directoryExists: (path) =>
        this.holds(path) ? this.folders.has(path) : ts.sys.directoryExists(path),
      realpath: (path) => (this.holds(path) ? path : (base.realpath?.(path) ?? path)),
    };
  }

  /** One of each file, and of those that import something else by the same name each. */
  roots(host: ts.CompilerHost): string[] {
    const sources = [...this.texts].filter(([path]) => /\.tsx?$/.test(path));
    const imports = new Map(
      sources.map(([path, text]) => {
        const { type } = this.unitOf.get(path) as Unit;
        const mode = type === 'module' ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS;
        const names = ts.preProcessFile(text, true, true).importedFiles;
        return [path, names.map(({ fileName }) => this.find(fileName, path, mode, host))];
      }),
    );
    let keys = new Map(sources.map(([path, text]) => [path, this.keyOf(path, text)]));
    for (let kinds = 0; kinds < new Set(keys.values()).size;) {
      kinds = new Set(keys.values()).size;
      keys = new Map(
        [...keys].map(([path, key]) => {
          const imported = (imports.get(path) ?? []).map((target) => keys.get(target ?? '') ?? '-');
          return [path, hash([key, ...imported])];
        }),
      );
    }
    const first = new Map<string, string>();
    for (const [path, key] of keys) {
      if (!first.has(key)) first.set(key, path);
      this.same.set(path, first.get(key) as string);
    }
    return [...first.values()];
  }

  resolve(
    name: string,
    from: string,
    mode: ts.ResolutionMode,
    host: ts.CompilerHost,
  ): ts.ResolvedModuleWithFailedLookupLocations {
    const resolved = this.lookUp(name, from, mode, host);
    const { resolvedModule } = resolved;
    const same = resolvedModule && this.same.get(resolvedModule.resolvedFileName);
    if (!resolvedModule || same === undefined) return resolved;
    return { ...resolved, resolvedModule: { ...resolvedModule, resolvedFileName: same } };
  }

  private find(
    name: string,
    from: string,
    mode: ts.ResolutionMode,
    host: ts.CompilerHost,
  ): string | undefined {
    return this.lookUp(name, from, mode, host).resolvedModule?.resolvedFileName;
  }

  private lookUp(
    name: string,
    from: string,
    mode: ts.ResolutionMode,
    host: ts.CompilerHost,
  ): ts.ResolvedModuleWithFailedLookupLocations {
    const unit = this.unitOf.get(from);
    if (!unit)
      return ts.resolveModuleName(name, from, this.options, host, undefined, undefined, mode);
    const paths = Object.fromEntries(
      Object.entries(unit.paths).map(([alias, targets]) => [
        alias,
        targets.map((target) => `${this.root}/${unit.name}/${target}`),
      ]),
    );
    const options = { ...this.options, paths };
    let cache = this.caches.get(unit);
    if (!cache) {
      cache = ts.createModuleResolutionCache(this.root, (path) => path, options);
      this.caches.set(unit, cache);
    }
    return ts.resolveModuleName(name, from, options, host, cache, undefined, mode);
  }

  private keyOf(path: string, text: string): string {
    const unit = this.unitOf.get(path) as Unit;
    return hash([path.slice(`${this.root}/${unit.name}`.length), unit.type, text]);
  }

  private add(unit: Unit, path: string, text: string): void {
    const full = `${this.root}/${unit.name}/${path}`;
    this.texts.set(full, text);
    this.unitOf.set(full, unit);
    for (let folder = dirname(full); this.holds(folder); folder = dirname(folder)) {
      this.folders.add(folder);
    }
  }
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
