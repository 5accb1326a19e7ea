import { ensurePackage, NX_VERSION, readNxJson } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { HostProjects, isSolution } from '../../host/index.js';
import type { RealtimeDomainSchema } from './schema.js';

type AppGenerator = (tree: Tree, options: Record<string, unknown>) => Promise<GeneratorCallback>;

/**
 * Creates the apps that `--standalone` and `--createWeb` ask for, unless they are there already.
 *
 * @returns the install callbacks of Nx's own generators
 */
export async function createApps(
  tree: Tree,
  options: RealtimeDomainSchema,
): Promise<GeneratorCallback[]> {
  if (!options.standalone && !options.createWeb) return [];
  const projects = new HostProjects(tree);
  const tasks: GeneratorCallback[] = [];
  const app = options.app ?? 'api-gateway';
  if (options.standalone && !projects.find(app)) {
    tasks.push(await create(tree, '@nx/nest', app, {}));
  }
  const web = options.web ?? 'web';
  if (options.createWeb && web !== 'none' && !projects.find(web)) {
    tasks.push(await create(tree, '@nx/next', web, { style: 'css', appDir: true, src: true }));
  }
  return tasks;
}

async function create(
  tree: Tree,
  plugin: '@nx/nest' | '@nx/next',
  name: string,
  options: Record<string, unknown>,
): Promise<GeneratorCallback> {
  const { applicationGenerator } = ensurePackage<{ applicationGenerator: AppGenerator }>(
    plugin,
    NX_VERSION,
  );
  const directory = name.includes('/') ? name : `apps/${name}`;
  return applicationGenerator(tree, {
    directory,
    linter: 'eslint',
    unitTestRunner: testRunnerOf(tree),
    e2eTestRunner: 'none',
    skipFormat: true,
    addPlugin: infersTargets(tree),
    ...options,
  });
}

/**
 * True if targets come from plugins, as with `nx g`: called from code, Nx's generators write executors, among them a
 * `serve` on port 4200 in place of `next dev`.
 */
function infersTargets(tree: Tree): boolean {
  return (
    process.env['NX_ADD_PLUGINS'] !== 'false' && readNxJson(tree)?.useInferencePlugins !== false
  );
}

/** The runner that the workspace has; for one that has none, what Nx takes for its layout. */
function testRunnerOf(tree: Tree): 'jest' | 'vitest' {
  const plugins = (readNxJson(tree)?.plugins ?? []).map((entry) =>
    typeof entry === 'string' ? entry : entry.plugin,
  );
  if (plugins.includes('@nx/jest/plugin')) return 'jest';
  return isSolution(tree) || plugins.includes('@nx/vitest') ? 'vitest' : 'jest';
}
