import { getProjects, joinPathFragments } from '@nx/devkit';
import type { ProjectConfiguration, Tree } from '@nx/devkit';
import { RealtimeError } from '../domain/index.js';
import { isNextApp, isViteApp } from './web-app.js';

/** A project of the host, by the two names that it goes by. */
export interface HostProject {
  /** Name in Nx: `@acme/api-gateway` */
  readonly name: string;
  /** Its last part: `api-gateway` */
  readonly shortName: string;
  readonly root: string;
  readonly sourceRoot: string;
}

type Kind = 'nest' | 'publisher' | 'web';

const KINDS = {
  nest: {
    flag: '--app',
    code: 'RT010',
    title: 'a Nest app',
    sign: 'no @nestjs/core in its main.ts',
    create: ', or --standalone to create it',
  },
  publisher: {
    flag: '--app',
    code: 'RT010',
    title: 'a Nest app',
    sign: 'no @nestjs/core in its main.ts',
    create: '',
  },
  web: {
    flag: '--web',
    code: 'RT012',
    title: 'a Next.js app or a React app on Vite',
    sign: 'no next.config file, and no vite.config file with an index.html and a src/main that imports react-dom,',
    create: '; --web=none for server only',
  },
} as const;

/** The projects of a host, read once for a run. */
export class HostProjects {
  private readonly all: HostProject[];
  /** The apps of each kind, looked for once. */
  private readonly found = new Map<Kind, readonly HostProject[]>();

  constructor(private readonly tree: Tree) {
    this.all = [...getProjects(tree)].map(([name, config]) => toProject(tree, name, config));
  }

  /**
   * The app of one kind that a name means: exact, or the unique last part; without a name the
   * default, else the only one there is, a Next.js app before a React app.
   *
   * @throws RealtimeError RT010 (Nest) or RT012 (web), naming the apps found
   */
  resolve(kind: Kind, name: string | undefined, fallback: string): HostProject {
    const { flag, code, title, sign, create } = KINDS[kind];
    const apps = this.apps(kind);
    const found =
      apps.length > 0 ? `Found: ${apps.map((app) => app.name).join(', ')}.` : 'There is none.';
    const wanted = projectsNamed(apps, name ?? fallback);
    if (wanted.length === 1 && wanted[0]) return wanted[0];
    if (wanted.length > 1) {
      throw new RealtimeError(
        code,
        `"${name ?? fallback}" means ${wanted.map((app) => app.name).join(' and ')}. Pass ${flag} with the full name.`,
      );
    }
    if (name === undefined) {
      const next = kind === 'web' ? apps.filter((app) => isNextApp(this.tree, app)) : [];
      const [only, ...others] = next.length > 0 ? next : apps;
      if (only && others.length === 0) return only;
      throw new RealtimeError(
        code,
        `No ${flag} given, and no app "${fallback}" that is ${title}. ${found} Pass ${flag}=<name>${kind === 'web' ? ', --web=none for server only, or --createWeb to create one' : ', or --standalone to create one'}.`,
      );
    }
    const other = projectsNamed(this.all, name)[0];
    throw new RealtimeError(
      code,
      other
        ? `Project "${other.name}" is not ${title} (${sign} in ${other.root}). ${found} Pass ${flag}=<name>.`
        : `There is no project "${name}". ${found} Pass ${flag}=<name>${create}.`,
    );
  }

  /** A project of any kind by exact name or unique last part. */
  find(name: string): HostProject | undefined {
    const found = projectsNamed(this.all, name);
    return found.length === 1 ? found[0] : undefined;
  }

  list(): readonly HostProject[] {
    return this.all;
  }

  /** The apps of one kind that there are. */
  apps(kind: Kind): readonly HostProject[] {
    const apps = this.found.get(kind) ?? this.all.filter((project) => this.is(kind, project));
    this.found.set(kind, apps);
    return apps;
  }

  private is(kind: Kind, project: HostProject): boolean {
    if (kind === 'web') return isNextApp(this.tree, project) || isViteApp(this.tree, project);
    const main = joinPathFragments(project.sourceRoot, 'main.ts');
    return this.tree.read(main, 'utf-8')?.includes('@nestjs/core') ?? false;
  }
}

/** The name by which a file states a project: the last part of it, where that is unique. */
export function shortestName(projects: HostProjects, project: HostProject): string {
  return projects.find(project.shortName)?.name === project.name ? project.shortName : project.name;
}

function toProject(tree: Tree, name: string, config: ProjectConfiguration): HostProject {
  const src = joinPathFragments(config.root, 'src');
  const named = config.sourceRoot;
  return {
    name,
    shortName: name.split('/').at(-1) ?? name,
    root: config.root,
    // Nx names as source root of a Next.js app a src/ that is not there, or the root where it is.
    sourceRoot: !tree.exists(src) ? config.root : named === config.root ? src : (named ?? src),
  };
}

/** Those that a name means: by all of it, else by its last part. */
export function projectsNamed<T extends Pick<HostProject, 'name' | 'shortName'>>(
  projects: readonly T[],
  name: string,
): T[] {
  const exact = projects.filter((project) => project.name === name);
  return exact.length > 0 ? exact : projects.filter((project) => project.shortName === name);
}
