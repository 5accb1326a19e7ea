import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostEnv, type Host } from '../support/host';
import { bundledIn, packAll } from '../support/pack';
import { removeAtExit, run } from '../support/processes';
import { artifact, REPO } from '../support/repo';
import { median, spread, table, type Goal, type Section } from './report';
import { topicFile } from './topics';

/** Milliseconds of one process. */
interface InProcess {
  readonly load: number;
  readonly run: number;
  /** Processor time, which other processes disturb less than they do the clock. */
  readonly cpu: number;
  readonly packages: readonly { readonly name: string; ms: number; files: number }[];
}

interface Measured extends Section {
  readonly figures: Record<string, unknown>;
}

const SIZES = [1, 10, 100] as const;

/** What generating, syncing and checking cost in a real workspace that has one domain, as Markdown. */
export async function measureGeneration(host: Host, rounds: number): Promise<Measured> {
  const parts = [
    await packageFacts(),
    await generatorTimes(host, rounds),
    await growth(host, rounds),
  ];
  return {
    text: parts.map(({ text }) => text).join('\n\n'),
    goals: parts.flatMap(({ goals }) => goals),
    figures: Object.assign({}, ...parts.map(({ figures }) => figures)) as Record<string, unknown>,
  };
}

async function packageFacts(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-bench-pack-'));
  removeAtExit(folder);
  const shell = (command: string, cwd: string): Promise<string> =>
    run(command, { cwd, env: hostEnv(), logFile: artifact('bench-package.log') });
  const kilobytes = async (path: string, cwd: string): Promise<number> =>
    Number.parseInt(await shell(`du -sk ${path}`, cwd), 10);
  const rows: (string | number)[][] = [];
  const goals: Goal[] = [];
  const figures: Record<string, unknown> = {};
  for (const { name, tarball, unpackedBytes, files } of packAll(folder)) {
    const cwd = mkdtempSync(join(folder, 'installed-'));
    writeFileSync(join(cwd, 'package.json'), '{ "private": true }\n');
    await shell(`npm install --omit=dev --omit=peer --legacy-peer-deps ${tarball}`, cwd);
    const own = await kilobytes(`node_modules/${name}`, cwd);
    const megabytes = ((await kilobytes('node_modules', cwd)) - own) / 1_024;
    const { packages } = JSON.parse(readFileSync(join(cwd, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dependencies?: object; optional?: boolean }>;
    };
    const direct = Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {});
    // Optional ones are for other platforms.
    const all = Object.values(packages).filter(({ optional }) => !optional).length - 2;
    const size = unpackedBytes / 1_000;
    rows.push([name, size.toFixed(0), files, direct.join(', '), all, megabytes.toFixed(1)]);
    goals.push({ what: `${name}, unpacked`, seen: [size], digits: 0, unit: ' KB', most: 500 });
    figures[name] = { unpackedBytes, files, direct, all, megabytes };
  }
  const head = ['', 'KB unpacked', 'files', 'dependencies', 'with theirs', 'which take MB'];
  return { text: `## The packages\n\n${table([head, ...rows])}`, goals, figures };
}

async function generatorTimes(host: Host, rounds: number): Promise<Measured> {
  addEmptyGenerator(host);
  const angular = await installForGateway(host);
  const plugin = 'npx nx g @nx-realtime/plugin';
  const options = '--dry-run --no-interactive';
  const empty = `${plugin}:empty ${options}`;
  const commands: readonly [what: string, command: string, isFirst?: boolean][] = [
    ['`nx --version`', 'npx nx --version'],
    ['an empty generator of this plugin, first run', empty, true],
    ['an empty generator of this plugin', empty],
    ['`realtime-domain`', `${plugin}:realtime-domain Measured ${options}`],
    [
      '`@nx/nest:gateway`',
      `npx nx g @nx/nest:gateway --path=apps/api-gateway/src/measured/measured ${options}`,
    ],
  ];
  const walls = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [what, command, isFirst] of commands) {
      if (isFirst) rmSync(host.path('.nx'), { recursive: true, force: true });
      walls.set(what, [...(walls.get(what) ?? []), await wall(host, command)]);
    }
  }
  const runs: Record<string, InProcess[]> = { empty: [], 'realtime-domain': [], gateway: [] };
  for (let round = 0; round < rounds + 2; round += 1) {
    for (const [what, list] of Object.entries(runs)) list.push(await measure(host, what));
  }
  const { empty: none = [], 'realtime-domain': ours = [], gateway = [] } = runs;
  const total = ({ load, run: ran }: InProcess): number => load + ran;
  const over = ours.map((one, round) => total(one) - total(none[round] as InProcess));
  const row = (name: string, list: readonly InProcess[]): string[] => [
    name,
    ...[list.map((one) => one.load), list.map((one) => one.run), list.map(total)].map((values) =>
      spread(values, 0),
    ),
  ];
  const text = [
    '## Generating one domain',
    'Whole commands, milliseconds, daemon off, `--dry-run`; the first run begins without `.nx`, as in a fresh clone:',
    table([['', 'wall clock'], ...[...walls].map(([what, list]) => [what, spread(list, 0)])]),
    `\`@nx/nest:gateway\` fails in a workspace as Nx makes it (no \`@angular-devkit/core\`): ${angular} was added for it.`,
    'Nearly all of it is Nx. The share of a generator, in one process, after what Nx loads for any, without the formatter:',
    table([
      ['', 'load ms', 'run ms', 'together'],
      row('empty', none),
      row('`realtime-domain`', ours),
      row('`@nx/nest:gateway`', gateway),
    ]),
    'Loaded for `realtime-domain` beyond what Nx has loaded, in milliseconds without what each loads in turn:',
    loadedPackages(ours),
    `The plugin is a bundle, with ${bundledPackages(host).join(', ')} in it.`,
  ].join('\n\n');
  const goals = [
    {
      what: 'One domain over an empty generator, in process',
      seen: over,
      digits: 0,
      unit: ' ms',
      most: 100,
    },
  ];
  return { text, goals, figures: { walls: Object.fromEntries(walls), inProcess: runs } };
}

/** What takes a millisecond or more, and the rest. */
function loadedPackages(runs: readonly InProcess[]): string {
  const names = (runs[0]?.packages ?? []).map(({ name }) => name);
  const all = names.map((name) => {
    const seen = runs.map(({ packages }) => packages.find((one) => one.name === name));
    return {
      name,
      files: seen[0]?.files ?? 0,
      ms: median(seen.map((one) => one?.ms ?? 0)),
    };
  });
  const rows = all.filter(({ ms }) => ms >= 1).sort((a, b) => b.ms - a.ms);
  const rest = all.filter(({ ms }) => ms < 1).map(({ name }) => name);
  return [
    table([
      ['', 'modules', 'ms'],
      ...rows.map(({ name, files, ms }) => [name, files, ms.toFixed(1)]),
    ]),
    ...(rest.length > 0 ? [`Less than 1 ms each: ${rest.join(', ')}.`] : []),
  ].join('\n\n');
}

/** What the build says that it has bundled. */
function bundledPackages(host: Host): string[] {
  return bundledIn(host.read('node_modules/@nx-realtime/plugin/dist/LICENSES.txt'));
}

async function growth(host: Host, rounds: number): Promise<Measured> {
  const works = ['realtime-domain', 'sync', 'check'] as const;
  const cpu = new Map<string, number[][]>(works.map((what) => [what, []]));
  const rows: (string | number)[][] = [];
  let made = 1;
  for (const size of SIZES) {
    for (; made < size; made += 1) host.write(...topicFile(made));
    await host.run('npx nx sync');
    const cells: string[] = [];
    for (const what of works) {
      const runs = await repeat(rounds, () => measure(host, what));
      const times = runs.map((one) => one.cpu);
      cpu.get(what)?.push(times);
      cells.push(spread(times, 0));
    }
    for (const command of ['npx nx sync:check', 'npx nx run api-gateway:realtime-check']) {
      cells.push(spread(await repeat(rounds, () => wall(host, command)), 0));
    }
    rows.push([size, ...cells]);
  }
  const goals = works.map((what) => ({
    what: `${what}: a domain more among 100, of one among 10`,
    seen: slopes(cpu.get(what) ?? []),
    digits: 2,
    most: 1.25,
  }));
  const head = [
    'domains',
    'one domain more',
    'sync, nothing new',
    'check, green',
    '`nx sync:check`',
    '`nx run api-gateway:realtime-check`',
  ];
  const text = [
    '## As domains grow',
    'Each domain beyond the first has ten events. Milliseconds of processor time in process, loading included, without the formatter; then wall clock of whole commands with the daemon off.',
    table([head, ...rows]),
  ].join('\n\n');
  return { text, goals, figures: { growth: Object.fromEntries(cpu) } };
}

/** How much more a domain costs from the second size to the third than from the first to the second. */
function slopes([few = [], more = [], many = []]: readonly number[][]): number[] {
  const [a, b, c] = SIZES;
  return many.map((most, round) => {
    const middle = more[round] ?? NaN;
    return (most - middle) / (c - b) / ((middle - (few[round] ?? NaN)) / (b - a));
  });
}

async function measure(host: Host, what: string): Promise<InProcess> {
  const script = join(REPO, 'e2e/bench/in-process.cjs');
  const output = await host.run(`${process.execPath} ${script} ${what}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as InProcess;
}

async function wall(host: Host, command: string): Promise<number> {
  const began = performance.now();
  await host.run(command);
  return performance.now() - began;
}

/** In the installed copy of this one workspace. */
function addEmptyGenerator(host: Host): void {
  const folder = 'node_modules/@nx-realtime/plugin';
  const file = `${folder}/generators.json`;
  const json = JSON.parse(host.read(file)) as { generators: Record<string, object> };
  json.generators['empty'] = {
    factory: './empty.js',
    schema: './empty.json',
    description: 'Empty',
  };
  host.write(file, JSON.stringify(json));
  host.write(`${folder}/empty.js`, 'exports.default = async () => undefined;\n');
  const schema = { $schema: 'https://json-schema.org/schema', $id: 'Empty', type: 'object' };
  host.write(`${folder}/empty.json`, JSON.stringify({ ...schema, properties: {} }));
}

/** The schematics of Nest need what a workspace of Nx does not install. Returns what was added. */
async function installForGateway(host: Host): Promise<string> {
  const { dependencies } = JSON.parse(
    host.read('node_modules/@nestjs/schematics/package.json'),
  ) as {
    dependencies: Record<string, string>;
  };
  const added = `@angular-devkit/core@${dependencies['@angular-devkit/core']}`;
  // Its optional peers are of other versions than what Nx brings.
  await host.run(`npm install --no-save --legacy-peer-deps ${added}`);
  return added;
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let count = 0; count < times; count += 1) results.push(await work());
  return results;
}
