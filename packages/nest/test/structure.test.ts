import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../src/version';
import { PACKAGE } from './support/aliases.js';

const SRC = join(PACKAGE, 'src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
);

/** What a source file imports, types too: paths of other ones, and packages. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/^(?:import |(?:import|export)\b[^;]*? from )'([^']+)';/gm)].map(
    ([, from = '']) =>
      from.startsWith('.') ? `${relative(SRC, join(SRC, dirname(file), from))}.ts` : from,
  );
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** What a file leads to, by all that it imports. */
function reachedFrom(file: string): Set<string> {
  const reached = new Set<string>();
  const visit = (from: string): void => {
    for (const to of graph.get(from) ?? []) {
      if (!reached.has(to)) {
        reached.add(to);
        visit(to);
      }
    }
  };
  visit(file);
  return reached;
}

describe('the sources', () => {
  it('hold no circle of imports, types included', () => {
    expect(files.filter((file) => reachedFrom(file).has(file))).toEqual([]);
  });

  it('name each file that they import without extension', () => {
    const unknown = files.flatMap((file) =>
      importsOf(file).filter((to) => to.endsWith('.ts') && !graph.has(to)),
    );
    expect(unknown).toEqual([]);
  });

  it('stand in folders that follow a connection, with few files beside them', () => {
    const folders = new Set(files.map((file) => dirname(file)).filter((name) => name !== '.'));
    expect([...folders].sort()).toEqual([
      'broker',
      'config',
      'connections',
      'events',
      'handshake',
      'lifecycle',
      'observability',
      'publisher',
      'replicas',
      'rooms',
      'testing',
    ]);
  });

  it('reach into private parts of other libraries in one file', () => {
    const doors =
      /_nsps|_query|writeBuffer|'_encode'|getMetadata\('|hasMetadata\(|'__exceptionFilters__'|\.distance\b|transport, 'socket'/;
    const found = files.filter((file) => doors.test(readFileSync(join(SRC, file), 'utf8')));
    expect(found).toEqual(['private-doors.ts']);
  });

  it('know the version of their package', () => {
    const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(VERSION).toBe(version);
  });
});

describe('what an app loads with', () => {
  const optional = [
    '@nestjs/testing',
    '@opentelemetry/api',
    'amqp-connection-manager',
    'amqplib',
    'ioredis',
    'prom-client',
    'socket.io-client',
  ];
  /** Packages that loading an entry loads: types are no code. */
  const loadedBy = (entry: string): string[] => {
    const values = [entry, ...reachedFrom(entry)].filter((file) => graph.has(file));
    const packages = values.flatMap((file) => {
      const text = readFileSync(join(SRC, file), 'utf8');
      return [
        ...text.matchAll(/^(?:import |(?:import|export) (?!type\b)[^;]*? from )'([^'.][^']*)';/gm),
      ].map(([, from = '']) => from);
    });
    return [...new Set(packages)].sort();
  };

  it('the package itself is none that it has only by choice', () => {
    expect(loadedBy('index.ts').filter((name) => optional.includes(name))).toEqual([]);
  });

  it('a publisher is neither websockets nor microservices', () => {
    expect(loadedBy('publisher/index.ts').filter((name) => name.startsWith('@nestjs/'))).toEqual([
      '@nestjs/common',
    ]);
  });

  it('hosts have few packages to bring along, and none of Socket.IO', () => {
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(PACKAGE, 'package.json'), 'utf8'),
    ) as {
      peerDependencies: Record<string, string>;
      peerDependenciesMeta: Record<string, { optional?: boolean }>;
    };
    const needed = Object.keys(peerDependencies).filter(
      (name) => !peerDependenciesMeta[name]?.optional,
    );
    // pnpm makes an instance of the package for each set of them.
    expect(needed).toEqual(['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs']);
    expect(Object.keys(peerDependencies)).not.toContain('socket.io');
  });

  it('every package is declared', () => {
    const manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    const declared = new Set([
      ...Object.keys(manifest['dependencies'] ?? {}),
      ...Object.keys(manifest['peerDependencies'] ?? {}),
    ]);
    const imported = files
      .flatMap(importsOf)
      .filter((from) => !from.endsWith('.ts') && !from.startsWith('node:'))
      .map((from) => /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0]);
    expect([...new Set(imported)].filter((name) => !declared.has(name ?? ''))).toEqual([]);
  });
});

describe('what the package exports', () => {
  const doors = files.filter((file) => file === 'index.ts' || /^[a-z]+\/index\.ts$/.test(file));
  const parsed = new Map<string, ts.SourceFile>();
  const parse = (file: string): ts.SourceFile => {
    const known = parsed.get(file);
    if (known) return known;
    const text = readFileSync(join(SRC, file), 'utf8');
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    parsed.set(file, source);
    return source;
  };
  const nameOf = (node: ts.Node): string | undefined =>
    (ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node)) &&
    node.name
      ? node.name.text
      : undefined;
  /** What declares each name of a door. */
  const declarationsOf = (door: string): { name: string; node: ts.Node }[] =>
    parse(door).statements.flatMap((statement): { name: string; node: ts.Node }[] => {
      const own = nameOf(statement);
      if (own !== undefined) return [{ name: own, node: statement }];
      if (!ts.isExportDeclaration(statement) || !statement.exportClause) return [];
      const from = (statement.moduleSpecifier as ts.StringLiteral).text;
      const { statements } = parse(relative(SRC, `${join(SRC, dirname(door), from)}.ts`));
      return (statement.exportClause as ts.NamedExports).elements.map(({ name: { text } }) => ({
        name: text,
        node: statements.find((found) => nameOf(found) === text) as ts.Node,
      }));
    });
  const hasDocs = (node: ts.Node): boolean =>
    ts.getJSDocCommentsAndTags(node).some((found) => ts.isJSDoc(found));
  const isPublic = (member: ts.Node): boolean =>
    !ts.isConstructorDeclaration(member) &&
    !(
      ts.getCombinedModifierFlags(member as ts.Declaration) &
      (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)
    ) &&
    !ts.isComputedPropertyName((member as ts.ClassElement).name as ts.Node);

  it.each(doors)('is explained with an example: %s', (door) => {
    const declared = declarationsOf(door);
    expect(declared.length).toBeGreaterThan(1);
    const bare = declared.filter(
      ({ node }) => !ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'example'),
    );
    expect(bare.map(({ name }) => name)).toEqual([]);
  });

  it.each(doors)('has a docstring for each member: %s', (door) => {
    const bare = declarationsOf(door).flatMap(({ name, node }) => {
      const isList = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);
      const members = isList ? [...node.members].filter(isPublic) : [];
      const names = members.map((member) => member.name?.getText());
      const told = new Set(members.filter(hasDocs).map((member) => member.name?.getText()));
      return names.filter((member) => !told.has(member)).map((member) => `${name}.${member}`);
    });
    expect(bare).toEqual([]);
  });
});
