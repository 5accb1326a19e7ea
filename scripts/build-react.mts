/**
 * `nx build react`: bundles @nx-realtime/react into packages/react/dist, each entry as one ES module and as
 * one file of CommonJS, with the declarations of each.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import ts from 'typescript';
import { REPO } from '../e2e/support/repo.js';

const REACT = join(REPO, 'packages/react');

/** @param dist folder that is emptied and written */
export async function buildReact(dist: string): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  for (const entry of ['index', 'tanstack-query']) await bundleOf(dist, entry);
  declare(dist, '.d.ts');
  // TypeScript resolves what an ES module imports by its whole name alone.
  declare(dist, '.d.mts', [withExtensions]);
}

/** One entry of the package, as one file in each format. */
async function bundleOf(dist: string, entry: string): Promise<void> {
  const bundle = await rolldown({
    input: join(REACT, `src/${entry}.ts`),
    platform: 'neutral',
    external: ['react', 'socket.io-client'],
    tsconfig: join(REACT, 'tsconfig.json'),
    // The oldest browsers that Next.js 15 serves and that know `??`.
    transform: { target: 'es2020', assumptions: { setPublicClassFields: true } },
    onLog: (_level, { code, message }) => {
      // It is kept: a bundle's first directive is that of its entry.
      if (code !== 'MODULE_LEVEL_DIRECTIVE') throw new Error(message);
    },
  });
  for (const { format, extension } of [
    { format: 'esm', extension: 'mjs' },
    { format: 'cjs', extension: 'js' },
  ] as const) {
    const file = join(dist, `${entry}.${extension}`);
    await bundle.write({ file, format, exports: 'named', sourcemap: true });
  }
  await bundle.close();
}

/** Writes the declarations of all sources, with maps that lead to the sources. */
function declare(
  dist: string,
  extension: '.d.ts' | '.d.mts',
  afterDeclarations: ts.CustomTransformers['afterDeclarations'] = [],
): void {
  const { config } = ts.readConfigFile(join(REACT, 'tsconfig.json'), (path) =>
    ts.sys.readFile(path),
  ) as { config: unknown };
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, REACT, {
    noEmit: false,
    declaration: true,
    declarationMap: true,
    emitDeclarationOnly: true,
    rootDir: join(REACT, 'src'),
    outDir: dist,
  });
  const program = ts.createProgram(fileNames, options);
  const written: [path: string, text: string][] = [];
  const renamed = (text: string): string => text.replaceAll('.d.ts', extension);
  const { diagnostics } = program.emit(
    undefined,
    (path, text) => written.push([renamed(path), renamed(text)]),
    undefined,
    true,
    { afterDeclarations },
  );
  const faults = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (faults.length > 0) {
    throw new Error(ts.formatDiagnostics(faults, ts.createCompilerHost(options)));
  }
  for (const [path, text] of written) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Adds `.mjs` to the relative imports of a declaration. */
function withExtensions(
  context: ts.TransformationContext,
): ts.Transformer<ts.SourceFile | ts.Bundle> {
  const visit = (node: ts.Node): ts.Node => {
    if (ts.isStringLiteral(node) && node.text.startsWith('.')) {
      return ts.factory.createStringLiteral(`${node.text}.mjs`, true);
    }
    return ts.visitEachChild(node, visit, context);
  };
  return (file) => ts.visitEachChild(file as ts.SourceFile, visit, context);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildReact(join(REACT, 'dist'));
