import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { RealtimeError, eventPascal } from '../../src/domain/index.js';
import { takenTypes } from '../../src/domain/parse.js';
import { KERNEL_PATHS, compile } from '../support/compile.js';
import type { Unit } from '../support/compile.js';
import { HARD_SHAPES, SHAPES, domain, hostFacts, renderShape } from '../support/shapes.js';
import type { Shape } from '../support/shapes.js';

/** Domains whose plural is their singular, and such that share words with what is imported. */
const DOMAINS = ['Data', 'By', 'Message'];

/** Names of every object, of Nest's hooks, of hooks and stores of React, and of what is declared beside them. */
const WORDS = [
  ...Object.getOwnPropertyNames(Object.prototype).filter((name) => !name.startsWith('_')),
  ...['onModuleInit', 'onModuleDestroy', 'onApplicationBootstrap', 'onApplicationShutdown'],
  ...['beforeApplicationShutdown', 'afterInit', 'handleConnection', 'handleDisconnect'],
  ...['service', 'gateway', 'policy', 'wsConsumer', 'provider', 'handlers', 'example', 'page'],
  ...['id', 'item', 'items', 'list', 'live', 'schemas', 'commands', 'state', 'status', 'error'],
  ...[
    'then',
    'catch',
    'prototype',
    'body',
    'event',
    'meta',
    'payload',
    'socket',
    'store',
    'reload',
  ],
  ...['delete', 'class', 'new', 'default', 'arguments', 'length', 'name', 'key', 'ref', 'z', 'it'],
];

const OPTIONS = ts.convertCompilerOptionsFromJson(
  {
    strict: true,
    noUnusedLocals: true,
    noImplicitOverride: true,
    exactOptionalPropertyTypes: true,
    module: 'preserve',
    moduleResolution: 'bundler',
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    jsx: 'react-jsx',
    types: ['node', 'jest'],
    skipLibCheck: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    noEmit: true,
  },
  '/',
).options;

/** The words that a domain takes for an event, and those that it refuses, with what it says. */
function sorted(name: string, kind: 'clientEvents' | 'serverEvents') {
  const taken: string[] = [];
  const refused = new Map<string, string>();
  for (const word of WORDS) {
    try {
      domain({ name, [kind]: [`${word}{id}`] });
      taken.push(`${word}{id}`);
    } catch (error) {
      if (!(error instanceof RealtimeError)) throw error;
      refused.set(word, error.message);
    }
  }
  return { taken, refused };
}

function unitOf(kind: 'clientEvents' | 'serverEvents'): Unit {
  const name = kind.toLowerCase();
  const domains = DOMAINS.map((one) => domain({ name: one, [kind]: sorted(one, kind).taken }));
  const host = hostFacts({ solution: false, runner: 'jest', scope: name, publishers: ['orders'] });
  const files = renderShape({ name, host, domains }).filter(({ path }) => /\.tsx?$/.test(path));
  return {
    name,
    files: new Map(files.map(({ path, content }) => [path, content])),
    paths: {
      ...KERNEL_PATHS,
      [`@${name}/realtime-contracts/*`]: ['libs/realtime-contracts/src/*.contract.ts'],
    },
    type: 'commonjs',
  };
}

describe('names of events', () => {
  it('compile where they are taken', { timeout: 300_000 }, () => {
    expect(compile([unitOf('clientEvents'), unitOf('serverEvents')], OPTIONS)).toEqual([]);
  });

  it('are refused for what they would hide, and for nothing else', () => {
    expect([...sorted('Message', 'clientEvents').refused.keys()]).toEqual(['body']);
    expect([...sorted('Broker', 'serverEvents').refused.keys()]).toEqual(['event']);
    const { refused } = sorted('Data', 'clientEvents');
    expect([...refused.keys()]).toEqual([
      ...['service', 'gateway', 'policy', 'wsConsumer', 'provider', 'handlers', 'example', 'page'],
    ]);
    expect(refused.get('service')).toMatch(
      /^RT004 .*the event "data\.service" would be the type DataService, which the generated code has/,
    );
  });

  it('are refused for every type that a generated file has beside them', () => {
    const missing = [...SHAPES, ...HARD_SHAPES].flatMap((shape) => besides(shape));
    expect([...new Set(missing)]).toEqual([]);
  });
});

/** Types that files of events import or declare, are named as an event could be, and are not refused. */
function besides(shape: Shape): string[] {
  const events = new Set(
    shape.domains.flatMap((one) =>
      [...one.serverEvents, ...one.clientEvents].map(({ name }) => eventPascal(name)),
    ),
  );
  const taken = new Set(shape.domains.flatMap(({ names }) => takenTypes(names)));
  return renderShape(shape)
    .filter(({ path }) => /\.tsx?$/.test(path))
    .flatMap(({ path, content }) => {
      const names = namesIn(ts.createSourceFile(path, content, ts.ScriptTarget.Latest));
      return names.some((name) => events.has(name)) ? names : [];
    })
    .filter((name) => /^(?!Realtime)[A-Z]\w*[A-Z]/.test(name) && /[a-z]/.test(name))
    .filter((name) => !events.has(name) && !taken.has(name) && !isSubscription(name));
}

/** Of a domain with rooms `resource`: its own check. */
const isSubscription = (name: string): boolean => /(?:Subscribe|Unsubscribe)$/.test(name);

/** Names that a file imports or declares at its top. */
function namesIn(file: ts.SourceFile): string[] {
  return file.statements.flatMap((statement): string[] => {
    if (ts.isImportDeclaration(statement)) {
      const bindings = statement.importClause?.namedBindings;
      return bindings && ts.isNamedImports(bindings)
        ? bindings.elements.map(({ name }) => name.text)
        : [];
    }
    const name = ts.getNameOfDeclaration(statement as unknown as ts.Declaration);
    return name && ts.isIdentifier(name) ? [name.text] : [];
  });
}
