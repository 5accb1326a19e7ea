import type { Tree } from '@nx/devkit';
import type { Class } from 'oxc-parser';
import { posix } from 'node:path';
import { existingGateways } from '../adopt/index.js';
import type { HostProject, HostProjects } from '../host/index.js';
import { isClass } from '../wiring/index.js';
import { bootOf, KERNEL_SETUP, transportOf } from './boot.js';
import type { Boot, Step } from './boot.js';
import { placeOf } from './finding.js';
import type { Found, Unknown } from './finding.js';
import { classesIn, decoratorOf, reachOf } from './modules.js';
import type { Reach } from './modules.js';
import { isOfKernel, keyOf, Sources, TEST } from './sources.js';
import type { Declared, SourceFile } from './sources.js';

/** Transports that listen themselves: no broker is waited for. */
const LISTENING: ReadonlySet<string> = new Set(['TCP', 'GRPC']);

/** A Nest app of the workspace. */
interface App {
  readonly project: HostProject;
  readonly boot: Boot;
  /** Null where its root module was not found. */
  readonly reach: Reach | null;
}

interface Roles {
  readonly gateways: readonly Declared<Class>[];
  readonly consumers: readonly Declared<Class>[];
  /** Handle broker events although they are no controllers. */
  readonly providers: readonly Declared<Class>[];
  readonly adapters: readonly Declared<Class>[];
}

/**
 * The checks that need to know how apps boot and what they import.
 *
 * @param reviewed sources of each project that is reviewed
 */
export function checkApps(
  tree: Tree,
  projects: HostProjects,
  reviewed: ReadonlyMap<HostProject, ReadonlyMap<string, string>>,
): { found: Found[]; unknown: Unknown[] } {
  const sources = new Sources(tree, projects);
  const apps = projects.list().flatMap((project) => appOf(tree, sources, project) ?? []);
  const found: Found[] = [];
  const unknown: Unknown[] = [];
  for (const [project, files] of reviewed) {
    const roles = rolesIn(sources, files);
    for (const gateway of roles.gateways) reach('gateway', gateway, apps, found, unknown);
    for (const consumer of roles.consumers) reach('consumer', consumer, apps, found, unknown);
    const app = apps.find((candidate) => candidate.project === project);
    if (app) {
      checkBoot(sources, app, roles, found, unknown);
      checkServed(tree, sources, app, found);
    }
    for (const what of app?.boot.unknown ?? [])
      unknown.push({ path: app?.boot.file.path ?? '', what });
  }
  return { found, unknown };
}

function appOf(tree: Tree, sources: Sources, project: HostProject): App | undefined {
  for (const name of ['main.ts', 'server.ts', 'index.ts']) {
    const path = posix.join(project.sourceRoot, name);
    if (!tree.read(path, 'utf-8')?.includes('@nestjs/core')) continue;
    const file = sources.get(path);
    const boot = file && bootOf(sources, file);
    if (!boot) continue;
    const root = boot.module === null ? 'lost' : sources.declaration(boot.file, boot.module);
    const reach =
      typeof root !== 'string' && isClass(root.node)
        ? reachOf(sources, { file: root.file, node: root.node })
        : null;
    return { project, boot, reach };
  }
  return undefined;
}

function rolesIn(sources: Sources, files: ReadonlyMap<string, string>): Roles {
  const gateways: Declared<Class>[] = [];
  const consumers: Declared<Class>[] = [];
  const providers: Declared<Class>[] = [];
  const adapters: Declared<Class>[] = [];
  for (const [path, text] of files) {
    if (TEST.test(path) || !/@nestjs\//.test(text)) continue;
    const file = sources.get(path);
    if (!file) continue;
    for (const node of classesIn(file)) {
      if (node.abstract) continue;
      const declared = { file, node };
      const isGateway = decoratorOf(node, 'WebSocketGateway') !== undefined;
      if (isGateway) gateways.push(declared);
      if (isConsumer(declared)) {
        const isController = !isGateway && decoratorOf(node, 'Controller') !== undefined;
        (isController ? consumers : providers).push(declared);
      }
      if (isAdapter(declared)) adapters.push(declared);
    }
  }
  return { gateways, consumers, providers, adapters };
}

function isConsumer({ file, node }: Declared<Class>): boolean {
  return node.body.body.some(
    (member) =>
      member.type === 'MethodDefinition' &&
      (decoratorOf(member, 'EventPattern', 'MessagePattern') !== undefined ||
        member.decorators.some(
          ({ expression }) =>
            expression.type === 'CallExpression' &&
            isOfKernel(file, expression.callee, 'BrokerEvent'),
        )),
  );
}

/** A class of the app that stands for Nest's own adapter of Socket.IO. */
function isAdapter({ file, node }: Declared<Class>): boolean {
  const base = node.superClass;
  return (
    base?.type === 'Identifier' &&
    file.imports.get(base.name)?.from === '@nestjs/platform-socket.io'
  );
}

/** Says when no app brings in a gateway or a consumer. */
function reach(
  role: 'gateway' | 'consumer',
  declared: Declared<Class>,
  apps: readonly App[],
  found: Found[],
  unknown: Unknown[],
): void {
  const key = keyOf(declared);
  const list = role === 'gateway' ? 'providers' : 'controllers';
  const all = apps.map((app) => app.reach);
  if (all.some((one) => one?.[list].has(key))) return;
  // A consumer among the providers is a finding of the rule that repairs it.
  if (role === 'consumer' && all.some((one) => one?.providers.has(key))) return;
  const name = declared.node.id?.name ?? 'this class';
  const unclear = apps.flatMap((app) =>
    app.reach
      ? app.reach.unknown
      : [{ path: app.boot.file.path, what: 'its root module was not found' }],
  );
  const [reason] = unclear;
  if (reason || apps.length === 0) {
    const because = reason ? `${reason.path}: ${reason.what}` : 'no app that boots Nest was found';
    unknown.push({
      path: declared.file.path,
      what: `whether an app brings in ${name} (${because})`,
    });
    return;
  }
  found.push({
    check: `unreachable-${role}`,
    message: `No app brings in ${name}: no module that is imported from a root module lists it in its ${list}.`,
    ...nameOf(declared),
  });
}

/** Gateways from before of an app that the server kernel serves. */
function checkServed(tree: Tree, sources: Sources, { project, boot }: App, found: Found[]): void {
  if (!boot.steps.some(({ method }) => method === KERNEL_SETUP)) return;
  const { sourceRoot } = project;
  const realtimeRoot = posix.join(sourceRoot, 'realtime');
  for (const gateway of existingGateways(tree, { sourceRoot, realtimeRoot })) {
    const file = gateway.isListed ? sources.get(gateway.path) : undefined;
    const node = file && classesIn(file).find(({ id }) => id?.name === gateway.name);
    if (!file || !node) continue;
    const { name, problems, isDead, isKept } = gateway;
    found.push({
      check: isKept ? 'gateway-kept' : 'gateway-unserved',
      severity: isDead ? 'high' : 'low',
      message: isKept
        ? `${name} is kept as it was: no token, tenant, limit or origin is asked of its clients.`
        : `${name} ${problems.join('; ')}.`,
      ...nameOf({ file, node }),
    });
  }
}

function checkBoot(
  sources: Sources,
  { boot, reach: brought }: App,
  { adapters, consumers, providers }: Roles,
  found: Found[],
  unknown: Unknown[],
): void {
  const { steps } = boot;
  const report = (check: string, message: string, { file, node }: Declared): void =>
    void found.push({ check, message, ...placeOf(file.path, file.text, node.start, node.end) });
  const on = (step: Step): Declared => ({ file: step.file, node: step.call });
  const stepsOf = (...methods: string[]): Step[] =>
    steps.filter(({ method }) => methods.includes(method));
  const isWhole = boot.unknown.length === 0;

  const connected = stepsOf('connectMicroservice');
  const started = stepsOf('startAllMicroservices', 'startAllMicroservicesAsync');
  const [listening] = stepsOf('init', 'listen').filter(({ isDeferred }) => !isDeferred);
  // The server kernel installs its adapter and connects its broker.
  const kernel = stepsOf(KERNEL_SETUP);
  const installed = [...stepsOf('useWebSocketAdapter'), ...kernel];
  const isLate = (step: Step): boolean =>
    listening !== undefined && steps.indexOf(step) > steps.indexOf(listening);

  for (const step of installed.filter(isLate)) {
    report(
      'adapter-after-listen',
      'Nest ignores an adapter that is set after init() or listen().',
      on(step),
    );
  }
  if (installed.length === 0 && isWhole && !boot.isMicroservice) {
    for (const { file, node } of adapters) {
      report(
        'adapter-not-installed',
        `${boot.file.path} does not install ${node.id?.name ?? 'this adapter'}.`,
        { file, node: node.id ?? node },
      );
    }
  }

  const transports = connected.map((step) => transportOf(sources, step));
  connected.forEach((step, index) => {
    if (transports[index] !== undefined) return;
    unknown.push({ path: step.file.path, what: 'by which transport a microservice is connected' });
  });
  for (const step of connected.filter((_, index) => transports[index] === 'RMQ').slice(1)) {
    report(
      'one-rmq-microservice',
      'Every handler of the app is called by this microservice too.',
      on(step),
    );
  }
  // One among the providers is a finding of its own, and needs a microservice no less once it is repaired.
  const consumer = [...consumers, ...providers].find((declared) => {
    const key = keyOf(declared);
    return brought?.controllers.has(key) === true || brought?.providers.has(key) === true;
  });
  if (consumer && connected.length + kernel.length === 0 && isWhole && !boot.isMicroservice) {
    report(
      'microservice-not-connected',
      `No microservice is connected: nothing calls ${consumer.node.id?.name ?? 'the consumers'}.`,
      { file: boot.file, node: boot.create },
    );
  }
  // A strategy of the app's own may be started by the app's own means.
  const [waiting] = connected.filter((_, index) => transports[index] !== 'strategy');
  if (waiting && started.length === 0 && isWhole && transports.every((one) => one !== undefined)) {
    report('microservice-not-started', 'Nothing starts this microservice.', on(waiting));
  }
  const waits = transports.length === 0 || !transports.every((one) => LISTENING.has(one ?? ''));
  for (const step of started.filter(({ isAwaited, isDeferred }) => isAwaited && !isDeferred)) {
    if (listening && waits && !isLate(step)) {
      report(
        'microservices-before-listen',
        'The app waits for the broker before it listens.',
        on(step),
      );
    }
  }
}

function nameOf({ file, node }: { file: SourceFile; node: Class }): ReturnType<typeof placeOf> {
  const { start, end } = node.id ?? node;
  return placeOf(file.path, file.text, start, end);
}
