import type { Figures } from './measure';
import type { Scenario } from './scenarios';
import type { System, SystemName } from './systems';

/** Figures of each system, one for each round. */
export type Rounds = ReadonlyMap<System, readonly Figures[]>;

/** A bound, and what was seen of it: a value for each round. */
export interface Goal {
  readonly what: string;
  readonly seen: readonly number[];
  readonly digits: number;
  readonly unit?: string;
  readonly least?: number;
  readonly most?: number;
}

/** A part of the report. */
export interface Section {
  readonly text: string;
  readonly goals: readonly Goal[];
}

export function scenarioSection(scenario: Scenario, results: Rounds): Section {
  const { title, method, columns } = scenario;
  const head = ['', ...columns.map(([, heading]) => heading)];
  const rows = [...results].map(([{ label }, list]) => [
    label,
    ...columns.map(([figure, , digits]) => spread(valuesOf(list, figure), digits)),
  ]);
  const lines = [...ratioLines(scenario, results), ...bottlenecks(results)];
  const parts = [`## ${title}`, method, table([head, ...rows]), lines.join('\n')];
  return { text: parts.filter(Boolean).join('\n\n'), goals: goalsOf(scenario, results) };
}

export function goalsSection(goals: readonly Goal[]): string {
  const rows = goals.map(({ what, seen, digits, unit = '', least, most }) => {
    const bound = least === undefined ? `at most ${most}` : `at least ${least}`;
    const value = Number(median(seen).toFixed(digits));
    // Not a number is not met.
    const met = least === undefined ? value <= (most ?? NaN) : value >= least;
    return [what, `${bound}${unit}`, `${spread(seen, digits)}${unit}`, met ? 'yes' : '**no**'];
  });
  return [
    '## Goals',
    'Met where the median is.',
    table([['', 'goal', 'seen', 'met'], ...rows]),
  ].join('\n\n');
}

function goalsOf({ title, columns, goals = [] }: Scenario, results: Rounds): Goal[] {
  return goals.map(({ figure, than, ...bound }) => {
    const heading = columns.find(([name]) => name === figure)?.[1] ?? figure;
    const seen = ratios(results, figure, 'nx-realtime', than);
    const letter = than === 'socket.io' ? 'a' : 'c';
    return { what: `${title}: ${heading}, of (${letter})`, seen, digits: 2, ...bound };
  });
}

function ratioLines({ columns, ratios: compared }: Scenario, results: Rounds): string[] {
  const others = [...results.keys()].filter(({ name }) => name !== 'socket.io');
  return compared.flatMap((figure) => {
    const heading = columns.find(([name]) => name === figure)?.[1] ?? figure;
    return others.map(
      ({ name, label }) =>
        `- ${heading}: ${label} is ${spread(ratios(results, figure, name, 'socket.io'), 2)} of (a)`,
    );
  });
}

/** Names who did not fill the server's core while the other one was full. */
function bottlenecks(results: Rounds): string[] {
  return [...results].flatMap(([{ label }, list]) => {
    const [server, core] = ['serverShare', 'coreShare'].map((name) => median(valuesOf(list, name)));
    if (server === undefined || core === undefined || !(server < 0.9 && core > 0.95)) return [];
    return [`- ${label}: the load's core was full before the server's; it can do more than this.`];
  });
}

/** Round by round: what disturbed both is in neither. */
function ratios(results: Rounds, figure: string, name: SystemName, than: SystemName): number[] {
  const [own = [], other = []] = [name, than].map(
    (wanted) => [...results].find(([system]) => system.name === wanted)?.[1],
  );
  return own.map((figures, round) => at(figures, figure) / at(other[round], figure));
}

function valuesOf(list: readonly Figures[], figure: string): number[] {
  return list.map((figures) => at(figures, figure));
}

function at(figures: Figures | undefined, figure: string): number {
  return figures?.[figure] ?? NaN;
}

/** The lower one of two in the middle. */
export function median(values: readonly number[]): number {
  return sortedCopy(values)[Math.floor((values.length - 1) / 2)] ?? NaN;
}

/** The median, and the least and the greatest where there are several. */
export function spread(values: readonly number[], digits: number): string {
  const sorted = sortedCopy(values);
  const range = [sorted[0], sorted.at(-1)].map((value) => (value ?? NaN).toFixed(digits));
  const middle = median(values).toFixed(digits);
  return sorted.length > 1 ? `${middle} (${range.join('–')})` : middle;
}

export function table(rows: readonly (readonly (string | number)[])[]): string {
  const [head = [], ...body] = rows;
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

function sortedCopy(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
