/**
 * Run in a workspace: `node in-process.cjs <what>`. Does in one process what Nx would have a generator or an executor
 * do, writes nothing, and prints what loading and running took and which packages were loaded for it.
 */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { performance } = require('node:perf_hooks');

const [what] = process.argv.slice(2);
const root = process.cwd();
const fromHost = Module.createRequire(join(root, 'package.json'));
const PLUGIN = '@nx-realtime/plugin';

const generate = (packageName, name, options) => () => {
  const run = load(packageName, 'generators', name, 'factory');
  return (tree) => run(tree, options);
};

/** Each loads what it needs, and returns what it then does to a tree. */
const WORK = {
  empty: generate(PLUGIN, 'empty', {}),
  'realtime-domain': generate(PLUGIN, 'realtime-domain', { name: 'Measured', skipFormat: true }),
  gateway: generate('@nx/nest', 'gateway', {
    path: 'apps/api-gateway/src/measured/measured',
    skipFormat: true,
  }),
  sync: generate(PLUGIN, 'sync', {}),
  check: () => {
    const run = load(PLUGIN, 'executors', 'realtime-check', 'implementation');
    return async () => {
      if (!(await run({}, { root })).success) throw new Error('The check is red');
    };
  },
};

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

async function main() {
  // Nx has loaded these before any generator begins.
  const { FsTree } = fromHost('nx/src/generators/tree');
  fromHost('@nx/devkit');
  const packages = new Map();
  watch(packages);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const run = WORK[what]();
  const loaded = performance.now();
  await run(new FsTree(root, false));
  const ended = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  const figures = {
    load: loaded - started,
    run: ended - loaded,
    cpu: (user + system) / 1_000,
    packages: [...packages].map(([name, { ms, files }]) => ({ name, ms, files })),
  };
  process.stdout.write(`\n${JSON.stringify(figures)}\n`);
}

/** As Nx does: what a package's generators.json or executors.json names. */
function load(packageName, kind, name, member) {
  const manifest = fromHost.resolve(`${packageName}/package.json`);
  const list = join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8'))[kind]);
  const file = JSON.parse(readFileSync(list, 'utf8'))[kind][name][member];
  const loaded = require(join(dirname(list), file));
  return typeof loaded === 'function' ? loaded : (loaded.default ?? Object.values(loaded)[0]);
}

/** Adds up what the modules of each package took to load, in ms without what they loaded in turn. */
function watch(packages) {
  const loadFile = Module.prototype.load;
  const inner = [0];
  Module.prototype.load = function (file) {
    const began = performance.now();
    inner.push(0);
    try {
      return loadFile.call(this, file);
    } finally {
      const all = performance.now() - began;
      const self = all - inner.pop();
      inner[inner.length - 1] += all;
      add(packages, packageOf(file), self);
    }
  };
}

function add(packages, name, ms) {
  const sum = packages.get(name) ?? { ms: 0, files: 0 };
  packages.set(name, { ms: sum.ms + ms, files: sum.files + 1 });
}

function packageOf(file) {
  return /.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file)?.[1] ?? file;
}
