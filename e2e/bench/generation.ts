import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostEnv, type Host } from '../support/host';
import { packAll } from '../support/pack';
import { removeAtExit, run } from '../support/processes';
import { artifact, REPO } from '../support/repo';

interface InProcess {
  readonly load: number;
  readonly run: number;
  readonly packages: readonly (readonly [name: string, ms: number])[];
}

const SIZES = [1, 10, 100];
const REALTIME = 'apps/api-gateway/src/realtime';

/** What generating, syncing and checking cost in a real workspace that has one domain, as Markdown. */
export async function measureGeneration(host: Host, rounds: number): Promise<string> {
  const sections = [await packageFacts(), await generatorTimes(host, rounds)];
  sections.push(await growth(host, rounds));
  return sections.join('\n\n');
}

async function packageFacts(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-bench-pack-'));
  removeAtExit(folder);
  const packed = packAll(folder).find(({ name }) => name === '@nx-realtime/plugin');
  if (!packed) throw new Error('@nx-realtime/plugin was not packed');
  const shell = (command: string): Promise<string> =>
    run(command, { cwd: folder, env: hostEnv(), logFile: artifact('bench-package.log') });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await shell(`npm install --omit=dev --omit=peer --legacy-peer-deps ${packed.tarball}`);
  const kilobytes = async (path: string): Promise<number> =>
    Number.parseInt(await shell(`du -sk ${path}`), 10);
  const all = await kilobytes('node_modules');
  const own = await kilobytes('node_modules/@nx-realtime');
  const manifest = readFileSync(join(REPO, 'packages/plugin/package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  return [
    '## The package',
    `${(packed.unpackedBytes / 1_000).toFixed(0)} KB unpacked in ${packed.files} files. ${Object.keys(dependencies).length} dependencies (${Object.keys(dependencies).join(', ')}), which take ${((all - own) / 1_024).toFixed(1)} MB with theirs.`,
  ].join('\n\n');
}

async function generatorTimes(host: Host, rounds: number): Promise<string> {
  addEmptyGenerator(host);
  const commands: Record<string, string> = {
    'an empty generator of the same plugin': 'npx nx g @nx-realtime/plugin:empty --dry-run',
    'realtime-domain': 'npx nx g @nx-realtime/plugin:realtime-domain Measured --dry-run',
    '@nx/nest:gateway':
      'npx nx g @nx/nest:gateway --path=apps/api-gateway/src/measured/measured --dry-run',
  };
  const walls: Record<string, number[]> = {};
  const failed = new Map<string, string>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, command] of Object.entries(commands)) {
      const began = performance.now();
      const { code, output } = await host.tryRun(`${command} --no-interactive`);
      (walls[name] ??= []).push(performance.now() - began);
      if (code !== 0) failed.set(name, firstError(output));
    }
  }
  const inProcess = await repeat(rounds + 2, () => measure(host, 'realtime-domain'));
  const empty = await repeat(rounds + 2, () => measure(host, 'empty'));
  const total = ({ load, run: ran }: InProcess): number => load + ran;
  const rows = Object.entries(walls).map(([name, values]) => {
    const reason = failed.get(name);
    return `| ${name} | ${reason ? `fails: ${reason}` : `${spread(values)} ms`} |`;
  });
  const [typical] = inProcess;
  const packages = (typical?.packages ?? [])
    .filter(([, ms]) => ms >= 1)
    .map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  return [
    '## Generating one domain',
    'Whole commands, daemon off, `--dry-run`:',
    ['| `nx g` | wall clock |', '| --- | --- |', ...rows].join('\n'),
    'Nearly all of it is Nx. In one process, after what Nx loads for any generator, without the formatter:',
    [
      '| | load ms | run ms | together |',
      '| --- | --- | --- | --- |',
      row('empty generator', empty, total),
      row('realtime-domain', inProcess, total),
    ].join('\n'),
    `Loaded for it, in ms without what each loads in turn: ${packages.join(', ')}.`,
  ].join('\n\n');
}

async function growth(host: Host, rounds: number): Promise<string> {
  const rows: string[] = [];
  let made = 1;
  for (const size of SIZES) {
    for (; made < size; made += 1) writeDomain(host, made);
    await host.run('npx nx sync');
    const sync = await repeat(rounds, () => measure(host, 'sync'));
    const check = await repeat(rounds, () => measure(host, 'check'));
    const wall = async (command: string): Promise<string> =>
      spread(
        await repeat(rounds, async () => {
          const began = performance.now();
          await host.run(command);
          return performance.now() - began;
        }),
      );
    rows.push(
      `| ${[
        size,
        spread(sync.map(({ run: ran }) => ran)),
        spread(check.map(({ run: ran }) => ran)),
        await wall('npx nx sync:check'),
        await wall('npx nx run api-gateway:realtime-check'),
      ].join(' | ')} |`,
    );
  }
  return [
    '## As domains grow',
    'Milliseconds; each domain beyond the first has ten events. In process, then as whole commands with the daemon off.',
    [
      '| domains | sync, nothing new | check, green | `nx sync:check` | `nx run api-gateway:realtime-check` |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
  ].join('\n\n');
}

async function measure(host: Host, what: string): Promise<InProcess> {
  const script = join(REPO, 'e2e/bench/in-process.cjs');
  const output = await host.run(`${process.execPath} ${script} ${what}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as InProcess;
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

function writeDomain(host: Host, index: number): void {
  const events = (stem: string, payload: object): object =>
    Object.fromEntries([0, 1, 2, 3, 4].map((event) => [`${stem}${event}`, { payload }]));
  const letters = [...String(index).padStart(3, '0')].map((digit) => 'bcdfghjkln'[Number(digit)]);
  const word = letters.join('a');
  const domain = {
    name: `Topic-${word}`,
    serverEvents: events('pushed', { id: 'string', n: 'number' }),
    clientEvents: events('asked', { id: 'string', 'mood?': 'enum(a|b)' }),
  };
  const folder = `topic-${word}s`;
  host.write(`${REALTIME}/${folder}/${folder}.domain.json`, `${JSON.stringify(domain, null, 2)}\n`);
}

function row(
  name: string,
  runs: readonly InProcess[],
  total: (figures: InProcess) => number,
): string {
  const cells = [runs.map(({ load }) => load), runs.map(({ run: ran }) => ran), runs.map(total)];
  return `| ${[name, ...cells.map((values) => spread(values))].join(' | ')} |`;
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let count = 0; count < times; count += 1) results.push(await work());
  return results;
}

/** The median, and the least and the greatest. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [median = NaN] = sorted.slice(Math.floor((sorted.length - 1) / 2));
  return `${median.toFixed(0)} (${sorted[0]?.toFixed(0)}–${sorted.at(-1)?.toFixed(0)})`;
}

function firstError(output: string): string {
  const line = output.split('\n').find((text) => /error|cannot/i.test(text)) ?? 'no message';
  return line.trim().slice(0, 120);
}
