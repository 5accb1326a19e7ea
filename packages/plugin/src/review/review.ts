import type { Tree } from '@nx/devkit';
import { createHash } from 'node:crypto';
import { RealtimeError } from '../domain/index.js';
import { HostProjects, ejectedIn } from '../host/index.js';
import type { HostProject } from '../host/index.js';
import { checkLock } from './advisories.js';
import { WORKSPACE_CHECKS } from './checks.js';
import { isAtLeast, SEVERITIES } from './finding.js';
import type { Check, Finding, Found, Review, Severity } from './finding.js';
import { lint } from './lint.js';
import { sourcesIn } from './sources.js';
import { loadTools } from './tools.js';
import type { Tools } from './tools.js';
import { checkApps } from './workspace.js';

export interface ReviewOptions {
  /** One project, by its name or the last part of it; else all that hold realtime code. */
  readonly project?: string | undefined;
  /** Apply the safe repairs to the Tree first. */
  readonly fix?: boolean | undefined;
  /** The least severity that is reported. */
  readonly severity?: Severity | undefined;
  /** Names of checks that are left out. */
  readonly skip?: readonly string[] | undefined;
}

/** Signs of realtime code in a project. */
const REALTIME =
  /['"](?:socket\.io(?:-client)?|@nestjs\/(?:websockets|platform-socket\.io|microservices)|amqplib|amqp-connection-manager|@golevelup\/nestjs-rabbitmq|@nx-realtime\/(?:nest|react))['"/]/;
/** In which files a rule can find something. */
const RELEVANT =
  /@nestjs\/|@nx-realtime\/|[sS]ocket|['"]amqp|@golevelup|switchToWs|WsException|\buse\w*Store\b|['"]zustand/;

/**
 * Reviews hand-written realtime code.
 *
 * @param load what gives ESLint and the rules; they are not loaded when there is nothing to review
 * @returns a review without projects where there is no realtime code
 * @throws RealtimeError RT060 or RT061 without the rules, RT062 for an unknown project, RT063 for an unknown check
 */
export function reviewWorkspace(
  tree: Tree,
  options: ReviewOptions,
  load: (root: string) => Tools = loadTools,
): Review {
  const projects = new HostProjects(tree);
  const reviewed = realtimeProjects(tree, projects, options.project);
  if (reviewed.size === 0) return NOTHING;
  const tools = load(tree.root);
  const checks = new Map(
    [...tools.rules.ruleInfo, ...WORKSPACE_CHECKS].map((check) => [check.name, check]),
  );
  const unknownCheck = options.skip?.find((name) => !checks.has(name));
  if (unknownCheck !== undefined) {
    throw new RealtimeError(
      'RT063',
      `--skip: there is no check "${unknownCheck}". The checks: ${[...checks.keys()].join(', ')}.`,
    );
  }

  // One project at a time: TypeScript holds what it has read of one in memory, and no more.
  const linted = [...reviewed.values()].map((files) => {
    const relevant = new Map([...files].filter(([, text]) => RELEVANT.test(text)));
    const result = lint(tree.root, relevant, tools, options.fix === true);
    for (const [path, text] of result.repaired) {
      tree.write(path, text);
      files.set(path, text);
    }
    return result;
  });

  const apps = checkApps(tree, projects, reviewed);
  const lock = checkLock(tree);
  const least = options.severity ?? 'low';
  const findings = toFindings(tree, checks, [
    ...linted.flatMap(({ findings: own }) => own),
    ...apps.found,
    ...lock.found,
  ]).filter(({ check, severity }) => !options.skip?.includes(check) && isAtLeast(severity, least));
  return {
    projects: [...reviewed.keys()].map(({ name }) => name),
    files: [...reviewed.values()].reduce((sum, files) => sum + files.size, 0),
    findings,
    checks: new Map(findings.flatMap(({ check }) => entryOf(checks, check))),
    disabled: linted.reduce((sum, { disabled }) => sum + disabled, 0),
    unknown: unique([
      ...linted.flatMap(({ unknown }) => unknown),
      ...apps.unknown,
      ...lock.unknown,
    ]),
    untyped: linted.flatMap(({ untyped }) => untyped),
    fixed: linted.flatMap(({ repaired }) => [...repaired.keys()]),
  };
}

const NOTHING: Review = {
  projects: [],
  files: 0,
  findings: [],
  checks: new Map(),
  disabled: 0,
  unknown: [],
  untyped: [],
  fixed: [],
};

/** Sources of each project that holds realtime code, but for ejected kernels. A file belongs to the innermost project around it. */
function realtimeProjects(
  tree: Tree,
  projects: HostProjects,
  name: string | undefined,
): Map<HostProject, Map<string, string>> {
  const kernels = [...ejectedIn(tree, projects).values()];
  const wanted = (name === undefined ? projects.list() : [requireProject(projects, name)]).filter(
    ({ root }) => !kernels.includes(root),
  );
  const held = new Map<HostProject, Map<string, string>>();
  for (const project of wanted) {
    const inner = projects
      .list()
      .filter((other) => other !== project && isInside(other.root, project.root));
    const files = [...sourcesIn(tree, project.root)].filter(
      ([path]) => !inner.some(({ root }) => isInside(path, root)),
    );
    if (files.some(([, text]) => REALTIME.test(text))) held.set(project, new Map(files));
  }
  return held;
}

const isInside = (path: string, folder: string): boolean =>
  folder === '.' || path.startsWith(`${folder}/`);

function requireProject(projects: HostProjects, name: string): HostProject {
  const project = projects.find(name);
  if (project) return project;
  const names = projects.list().map((other) => other.name);
  throw new RealtimeError(
    'RT062',
    `There is no project "${name}", or more than one. Found: ${names.join(', ')}.`,
  );
}

function toFindings(
  tree: Tree,
  checks: ReadonlyMap<string, Check>,
  all: readonly Found[],
): Finding[] {
  const texts = new Map<string, string[]>();
  const lineOf = ({ path, line }: Found): string => {
    const lines = texts.get(path) ?? (tree.read(path, 'utf-8') ?? '').split('\n');
    texts.set(path, lines);
    return lines[line - 1]?.trim() ?? '';
  };
  const seen = new Map<string, number>();
  const sorted = [...all].sort(
    (a, b) =>
      compare(a.path, b.path) ||
      a.line - b.line ||
      a.column - b.column ||
      compare(a.check, b.check),
  );
  const findings = sorted.map((found): Finding => {
    // Independent of where in the file the line is; the same line twice is told apart by its turn.
    const place = [found.check, found.path, lineOf(found)].join('\0');
    const turn = seen.get(place) ?? 0;
    seen.set(place, turn + 1);
    const fingerprint = createHash('sha256').update(`${place}\0${turn}`).digest('hex').slice(0, 32);
    const severity = found.severity ?? checks.get(found.check)?.severity ?? 'low';
    return { fixable: false, suggestions: [], ...found, severity, fingerprint };
  });
  return findings.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function entryOf(checks: ReadonlyMap<string, Check>, name: string): [string, Check][] {
  const check = checks.get(name);
  return check ? [[name, check]] : [];
}

function unique<T>(items: readonly T[]): T[] {
  const byText = new Map(items.map((item) => [JSON.stringify(item), item]));
  return [...byText.values()];
}
