/**
 * `nx build plugin`: bundles @nx-realtime/plugin into packages/plugin/dist, one file for each path that Nx or npm
 * loads it by and a few that they share, and packs its templates and the kernels' sources.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { REPO } from '../e2e/support/repo.js';
import {
  KERNELS_ARCHIVE,
  TEMPLATES_ARCHIVE,
  packTemplates,
  readTemplates,
} from '../packages/plugin/src/render/archive.js';
import { kernelSources } from '../packages/plugin/src/render/templates.js';

const PLUGIN = join(REPO, 'packages/plugin');

// What is not installed with it is bundled.
const { dependencies, peerDependencies } = manifestOf(PLUGIN);
const installed = Object.keys({ ...dependencies, ...peerDependencies });
const bundle = await rolldown({
  input: entries(),
  platform: 'node',
  external: installed.map((name) => new RegExp(`^${name}(?:/|$)`)),
  onLog: (_level, { message }) => {
    throw new Error(message);
  },
});
const { output } = await bundle.write({
  dir: join(PLUGIN, 'dist'),
  cleanDir: true,
  format: 'cjs',
  exports: 'named',
  // Said at the top: what stands after `//` in a string, tools that look for the kind of a module take for a comment.
  intro: 'exports.__esModule = true;',
  strict: true,
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  // The names of functions stay, for stack traces.
  minify: {
    compress: { keepNames: { function: true, class: true } },
    mangle: { keepNames: { function: true, class: true } },
    codegen: { removeWhitespace: true },
  },
});
const sources = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
writeFileSync(join(PLUGIN, 'dist/LICENSES.txt'), licensesOf(sources));
const templates = readTemplates(join(PLUGIN, 'templates'));
writeFileSync(join(PLUGIN, TEMPLATES_ARCHIVE), packTemplates(templates));
const kernels = kernelSources(join(REPO, 'packages'));
writeFileSync(join(PLUGIN, KERNELS_ARCHIVE), packTemplates(kernels));

/** The sources of what the manifests name in `dist`, and of the migration that releases name. */
function entries(): Record<string, string> {
  const manifests = ['package.json', 'generators.json', 'executors.json', 'migrations.json'];
  const named = manifests.flatMap((file) => [
    ...readFileSync(join(PLUGIN, file), 'utf8').matchAll(/"\.\/dist\/([^"]+?)(?:\.js)?"/g),
  ]);
  const names = [...named.map(([, name = '']) => name), 'migrations/update-generated-code'];
  return Object.fromEntries(names.map((name) => [name, join(PLUGIN, 'src', `${name}.ts`)]));
}

/** The notices of the packages that these modules come from. */
function licensesOf(modules: readonly string[]): string {
  const folders = new Set(
    modules.flatMap(
      (file) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file) ?? [],
    ),
  );
  const notices = [...folders].map((folder) => {
    const { name, version } = manifestOf(folder);
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} is bundled, and has no licence`);
    return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  return `Bundled in the code of this package:\n\n${notices.sort().join('\n---\n\n')}`;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
