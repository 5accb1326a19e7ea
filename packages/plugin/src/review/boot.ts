import type { CallExpression, Node, ObjectExpression } from 'oxc-parser';
import { findAll, isCall, isWrapper } from '../wiring/index.js';
import { entryOf } from './modules.js';
import { isOfKernel } from './sources.js';
import type { Declared, SourceFile, Sources } from './sources.js';

/** The step by which the server kernel installs its adapter and connects its broker. */
export const KERNEL_SETUP = 'setupRealtime';

/** A call on the application, in the order in which an app boots. */
export interface Step {
  readonly method: string;
  readonly call: CallExpression;
  readonly file: SourceFile;
  readonly isAwaited: boolean;
  /** In a callback: nobody knows when. */
  readonly isDeferred: boolean;
}

/** The boot of an app. */
export interface Boot {
  readonly file: SourceFile;
  /** `NestFactory.create()` or `NestFactory.createMicroservice()` */
  readonly create: CallExpression;
  readonly isMicroservice: boolean;
  /** The name of the module that is booted; null where it is no plain name. */
  readonly module: string | null;
  readonly steps: readonly Step[];
  /** Functions that are given the application and cannot be followed. */
  readonly unknown: readonly string[];
}

/** Reads what a main.ts does with the application, also by functions of other files; undefined when it boots none. */
export function bootOf(sources: Sources, file: SourceFile): Boot | undefined {
  const created = findAll(file.program, isCall).filter(({ node }) => factoryMethod(node) !== null);
  const [first, ...others] = created;
  if (!first) return undefined;
  const method = factoryMethod(first.node);
  const [argument] = first.node.arguments;
  const module = argument?.type === 'Identifier' ? argument.name : null;
  const target = first.ancestors.findLast(
    (node) => !isWrapper(node) && node.type !== 'AwaitExpression',
  );
  const app =
    target?.type === 'VariableDeclarator' && target.id.type === 'Identifier'
      ? target.id.name
      : target?.type === 'AssignmentExpression' && target.left.type === 'Identifier'
        ? target.left.name
        : undefined;
  const steps: Step[] = [];
  const unknown: string[] = [];
  if (app === undefined) unknown.push('the application is not kept in a variable');
  else if (others.length > 0) unknown.push('it creates more than one application');
  else {
    const scope = first.ancestors.findLast((node) => isFunction(node)) ?? file.program;
    new Walk(sources, steps, unknown).visit({ file, node: scope }, app, 0, false);
  }
  return {
    file,
    create: first.node,
    isMicroservice: method === 'createMicroservice',
    module,
    steps,
    unknown,
  };
}

/** The object that a call is given at a position, also by the name of a constant. */
export function objectAt(
  sources: Sources,
  { call, file }: Step,
  index: number,
): ObjectExpression | undefined {
  let node: Node | undefined = call.arguments[index];
  while (node && isWrapper(node)) node = node.expression;
  if (node?.type === 'Identifier') {
    const declared = sources.declaration(file, node.name);
    node = typeof declared === 'string' ? undefined : declared.node;
    while (node && isWrapper(node)) node = node.expression;
  }
  return node?.type === 'ObjectExpression' ? node : undefined;
}

/** Transport of a microservice; `strategy` for one of the app's own. */
export function transportOf(sources: Sources, step: Step): string | undefined {
  const options = objectAt(sources, step, 0);
  if (!options) return undefined;
  if (entryOf(options, 'strategy')) return 'strategy';
  const transport = entryOf(options, 'transport');
  return transport?.type === 'MemberExpression' && transport.property.type === 'Identifier'
    ? transport.property.name
    : undefined;
}

class Walk {
  constructor(
    private readonly sources: Sources,
    private readonly steps: Step[],
    private readonly unknown: string[],
  ) {}

  visit({ file, node: scope }: Declared, app: string, depth: number, deferred: boolean): void {
    for (const { node, ancestors } of findAll(scope, isCall)) {
      const inner = ancestors.slice(ancestors.indexOf(scope) + 1);
      const isDeferred = deferred || inner.some(isFunction);
      const { callee } = node;
      const parent = ancestors.findLast((ancestor) => !isWrapper(ancestor));
      if (
        callee.type === 'MemberExpression' &&
        callee.object.type === 'Identifier' &&
        callee.object.name === app &&
        callee.property.type === 'Identifier'
      ) {
        const isAwaited = parent?.type === 'AwaitExpression';
        this.steps.push({ method: callee.property.name, call: node, file, isAwaited, isDeferred });
      }
      const index = node.arguments.findIndex(
        (argument) => argument.type === 'Identifier' && argument.name === app,
      );
      if (index < 0) continue;
      if (isOfKernel(file, callee, KERNEL_SETUP)) {
        const isAwaited = parent?.type === 'AwaitExpression';
        this.steps.push({ method: KERNEL_SETUP, call: node, file, isAwaited, isDeferred });
      } else this.follow(file, node, index, depth, isDeferred);
    }
  }

  /** A function that is given the application: what it does happens here. */
  private follow(
    file: SourceFile,
    { callee }: CallExpression,
    index: number,
    depth: number,
    deferred: boolean,
  ): void {
    const name =
      callee.type === 'Identifier'
        ? callee.name
        : callee.type === 'MemberExpression' && callee.object.type === 'Identifier'
          ? callee.object.name
          : undefined;
    const declared = name === undefined ? 'lost' : this.sources.declaration(file, name);
    // A library, such as SwaggerModule.setup(app), installs no adapter and no microservice of this app.
    if (declared === 'external' || name === 'console') return;
    const body =
      typeof declared === 'string'
        ? undefined
        : isFunction(declared.node)
          ? declared.node
          : callee.type === 'MemberExpression'
            ? methodOf(declared.node, callee)
            : undefined;
    const parameter = body?.params[index];
    if (typeof declared === 'string' || !body || parameter?.type !== 'Identifier' || depth > 5) {
      this.unknown.push(`what ${name ?? 'a function'}() does with the application cannot be seen`);
      return;
    }
    this.visit({ file: declared.file, node: body }, parameter.name, depth + 1, deferred);
  }
}

type AnyFunction = Node & { readonly params: readonly Node[] };

function isFunction(node: Node): node is AnyFunction {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

/** The static method of a class that a call names. */
function methodOf(node: Node, callee: Node): AnyFunction | undefined {
  if (node.type !== 'ClassDeclaration' || callee.type !== 'MemberExpression') return undefined;
  const { property } = callee;
  for (const member of node.body.body) {
    if (
      member.type === 'MethodDefinition' &&
      member.key.type === 'Identifier' &&
      property.type === 'Identifier' &&
      member.key.name === property.name
    ) {
      return isFunction(member.value) ? member.value : undefined;
    }
  }
  return undefined;
}

function factoryMethod({ callee }: CallExpression): string | null {
  return callee.type === 'MemberExpression' &&
    callee.object.type === 'Identifier' &&
    callee.object.name === 'NestFactory' &&
    callee.property.type === 'Identifier' &&
    /^(?:create|createMicroservice)$/.test(callee.property.name)
    ? callee.property.name
    : null;
}
