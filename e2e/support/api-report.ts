import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { artifact } from './repo';

/** Public door of a package: what `import` of one of its paths gives. */
export interface Door {
  /** `index` or the subpath. */
  readonly name: string;
  /** Its API report, as API Extractor writes it. */
  readonly report: string;
}

type Exports = Record<string, string | { types?: string; require?: { types?: string } }>;

/**
 * Reports the public API of a package, one report for each path that its manifest exports.
 *
 * @param folder of the package, built, where Node finds what it depends on
 */
export function apiReports(folder: string): Door[] {
  const manifest = join(folder, 'package.json');
  const { name, exports } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    name: string;
    exports: Exports;
  };
  return Object.entries(exports).flatMap(([path, target]): Door[] => {
    const types = typeof target === 'string' ? undefined : (target.types ?? target.require?.types);
    if (types === undefined) return [];
    const door = path === '.' ? 'index' : path.slice(2);
    return [{ name: door, report: reportOf(folder, manifest, name, door, join(folder, types)) }];
  });
}

function reportOf(
  folder: string,
  manifest: string,
  name: string,
  door: string,
  types: string,
): string {
  const reportFolder = artifact(`api/${name.replace('/', '-')}`);
  mkdirSync(reportFolder, { recursive: true });
  const file = join(reportFolder, `${door}.api.md`);
  rmSync(file, { force: true });
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: manifest,
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: types,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2022',
            lib: ['es2022', 'dom'],
            module: 'node16',
            jsx: 'react-jsx',
            types: ['node'],
            strict: true,
            skipLibCheck: true,
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${door}.api.md`,
        reportFolder,
        reportTempFolder: join(reportFolder, 'temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
        },
        // Docstrings say what they say in Markdown of their own.
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    } as never,
  });
  const problems: string[] = [];
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.text);
      message.handled = true;
    },
  });
  if (problems.length > 0) throw new Error(`${types}:\n${problems.join('\n')}`);
  return readFileSync(file, 'utf8');
}

/**
 * The names that a report gives to whoever imports the package: what is exported, and for an object or a namespace
 * that is exported each of its members, as in `ErrorCode.FORBIDDEN`.
 */
export function namesIn(report: string): string[] {
  const code = /```ts\n([^]*)```/.exec(report)?.[1] ?? '';
  const { statements } = ts.createSourceFile('report.d.ts', code, ts.ScriptTarget.Latest, true);
  return statements.flatMap((statement): string[] => {
    if (ts.isExportDeclaration(statement)) {
      return statement.exportClause && ts.isNamedExports(statement.exportClause)
        ? statement.exportClause.elements.map(({ name }) => name.text)
        : [statement.getText()];
    }
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) return [];
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.flatMap(({ name, type }) => [
        name.getText(),
        ...membersOf(type).map((member) => `${name.getText()}.${member}`),
      ]);
    }
    if (ts.isModuleDeclaration(statement)) {
      const { name, body } = statement;
      const members = body && ts.isModuleBlock(body) ? body.statements : [];
      return [name.text, ...members.map((member) => `${name.text}.${member.getText()}`)];
    }
    const { name } = statement as ts.DeclarationStatement;
    return name ? [name.getText()] : [statement.getText()];
  });
}

function membersOf(type: ts.TypeNode | undefined): string[] {
  return type && ts.isTypeLiteralNode(type)
    ? type.members.map((member) => member.name?.getText() ?? member.getText())
    : [];
}

/** Names that are exported without a docstring. */
export function undocumentedIn(report: string): string[] {
  const code = /```ts\n([^]*)```/.exec(report)?.[1] ?? '';
  return [...code.matchAll(/^\/\/ @\w+.*\(undocumented\)\n(.*)$/gm)].map(([, line = '']) => line);
}
