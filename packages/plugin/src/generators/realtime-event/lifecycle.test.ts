import type { Tree } from '@nx/devkit';
import { expect, it } from 'vitest';
import { hostTree, snapshot } from '../../../test/support/host-tree.js';
import { Random } from '../../../test/support/random.js';
import realtimeDomainGenerator from '../realtime-domain/generator.js';
import syncGenerator from '../sync/generator.js';
import realtimeEventGenerator from './generator.js';

const FOLDER = 'apps/api-gateway/src/realtime/notifications';
const DOMAIN = `${FOLDER}/notifications.domain.json`;
const SEED = Number(process.env['LIFECYCLE_SEED'] ?? 20261121);
const RUNS = Number(process.env['LIFECYCLE_RUNS'] ?? 3);
const STEPS = 12;

/** Generated files that owners edit. */
const edited = (tree: Tree): string[] =>
  [...snapshot(tree, 'apps').keys(), ...snapshot(tree, 'libs').keys()].filter(
    (path) => /notifications.*\.tsx?$/.test(path) || path.endsWith('realtime.module.ts'),
  );

const conflicted = (tree: Tree): string[] =>
  [...snapshot(tree)].filter(([, text]) => /^<{7} yours$/m.test(text)).map(([path]) => path);

/** One edit as an owner makes them, with a line that is found again. */
function edit(tree: Tree, random: Random, mark: string): boolean {
  const path = random.pick(edited(tree));
  const text = tree.read(path, 'utf-8') ?? '';
  const line = `// ${mark}`;
  const body = /^ {4}\/\/ In place of this line[^]*?;\n/gm;
  const next = random.pick([
    () => `${line}\n${text}`,
    () => `${text}${line}\n`,
    () => text.replace(/^import /m, `${line}\nimport `),
    () => text.replace(body, (found) => (random.chance(0.5) ? found : `    ${line}\n`)),
    () => text.replace(/\n}\n$/, `\n\n  ${line}\n}\n`),
    () => text.replace(/^ {2}async (\w+)\(/m, `  ${line}\n  async $1(`),
    () => text.replace(/^ {2}@(\w+)/m, `  ${line}\n  @$1`),
  ])();
  if (next === text || !next.includes(line)) return false;
  tree.write(path, next);
  return true;
}

/** Events of one kind in the domain file. */
function eventsOf(tree: Tree, section: string): string[] {
  const file = JSON.parse(tree.read(DOMAIN, 'utf-8') ?? '') as Record<string, object>;
  return Object.keys(file[section] ?? {});
}

async function change(tree: Tree, random: Random, step: number): Promise<void> {
  const direction = random.pick(['server', 'client'] as const);
  const names = eventsOf(tree, `${direction}Events`);
  const name = names.length > 0 ? random.pick(names) : undefined;
  const fields = random.pick([
    '',
    '{id}',
    '{id,userId?,at:datetime}',
    '{id:uuid,mood:enum(a|b)[]}',
  ]);
  const run = (options: {
    event: string;
    rename?: string;
    remove?: boolean;
    direction?: typeof direction;
  }) => realtimeEventGenerator(tree, { domain: 'notifications', skipFormat: true, ...options });
  await random.pick([
    () => run({ event: `event${step}${fields}`, direction }),
    () => (name ? run({ event: `${name}${fields}` }) : undefined),
    () => (name ? run({ event: name, rename: `renamed${step}` }) : undefined),
    () => (name && names.length > 1 ? run({ event: name, remove: true }) : undefined),
    () => {
      if (!name) return undefined;
      const text = tree.read(DOMAIN, 'utf-8') ?? '';
      tree.write(DOMAIN, text.replace(`"${name}"`, `"notification.edited${step}"`));
      return syncGenerator(tree);
    },
  ])();
}

it(`loses no line of an owner, whatever becomes of the events (LIFECYCLE_SEED=${SEED})`, async () => {
  let conflicts = 0;
  let edits = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const random = new Random(SEED + run);
    const tree = hostTree();
    await realtimeDomainGenerator(tree, {
      name: 'Notification',
      clientEvents: ['markRead{id}', 'archive{id}'],
      skipFormat: true,
    });
    const marks: string[] = [];
    for (let step = 0; step < STEPS; step += 1) {
      const mark = `mine-${run}-${step}-end`;
      if (edit(tree, random, mark)) marks.push(mark);
      edits = edits + 1;
      await change(tree, random, step);
      const all = [...snapshot(tree)].filter(([path]) => !path.startsWith('.nx-realtime'));
      const lost = marks.filter((one) => !all.some(([, text]) => text.includes(one)));
      expect(lost, `seed ${SEED + run}, step ${step}`).toEqual([]);
      // As an owner resolves them: both sides stay.
      for (const path of conflicted(tree)) {
        conflicts += 1;
        const text = tree.read(path, 'utf-8') ?? '';
        tree.write(path, text.replace(/^(?:<{7}|={7}|>{7}).*\n/gm, ''));
      }
      expect(await syncGenerator(tree), `seed ${SEED + run}, step ${step}`).toEqual({});
    }
  }
  expect(edits).toBe(RUNS * STEPS);
  expect(conflicts).toBeLessThan(edits / 2);
}, 120_000);
