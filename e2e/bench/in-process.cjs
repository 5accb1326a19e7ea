/**
 * Run in a workspace: `node in-process.cjs <what>`. Does in one process what Nx would have a generator do, writes
 * nothing, and prints how long loading and running took and which packages were loaded for it.
 */
const Module = require('node:module');
const { performance } = require('node:perf_hooks');

const [what] = process.argv.slice(2);
const fromHost = Module.createRequire(`${process.cwd()}/package.json`);
const PLUGIN = '@nx-realtime/plugin/dist';

/** Each with what it needs loaded, and what it then does to a tree. */
const WORK = {
  empty: () => async () => undefined,
  'realtime-domain': () => {
    const generator = defaultOf(fromHost(`${PLUGIN}/generators/realtime-domain/generator`));
    return (tree) => generator(tree, { name: 'Measured', skipFormat: true });
  },
  sync: () => defaultOf(fromHost(`${PLUGIN}/generators/sync/generator`)),
  check: () => {
    const { checkWorkspace } = fromHost(`${PLUGIN}/check`);
    return (tree) => checkWorkspace(tree);
  },
};

main();

async function main() {
  // Nx has loaded these before any generator begins.
  const { FsTree } = fromHost('nx/src/generators/tree');
  fromHost('@nx/devkit');
  const times = new Map();
  watch(times);
  const started = performance.now();
  const run = WORK[what]();
  const loaded = performance.now();
  await run(new FsTree(process.cwd(), false));
  const ended = performance.now();
  const packages = [...times].sort((a, b) => b[1] - a[1]);
  const figures = { load: loaded - started, run: ended - loaded, packages };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** Adds up the milliseconds that the modules of each package took to load, without what they loaded in turn. */
function watch(times) {
  const load = Module._load;
  const inner = [0];
  Module._load = function (request, parent, isMain) {
    const began = performance.now();
    inner.push(0);
    try {
      return load.call(this, request, parent, isMain);
    } finally {
      const all = performance.now() - began;
      const self = all - inner.pop();
      inner[inner.length - 1] += all;
      const name = packageOf(request, parent);
      if (name) times.set(name, (times.get(name) ?? 0) + self);
    }
  };
}

function packageOf(request, parent) {
  let file;
  try {
    file = Module._resolveFilename(request, parent);
  } catch {
    return undefined;
  }
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  return name;
}

function defaultOf(loaded) {
  return typeof loaded === 'function' ? loaded : loaded.default;
}
