import { countBySeverity, SEVERITIES } from '../finding.js';
import type { Finding, Review } from '../finding.js';

const TITLES = {
  high: 'High: puts other people’s data, the process or events at risk',
  medium: 'Medium: leaves pages dead, leaks memory or lacks a second line of defence',
  low: 'Low: costs upkeep',
} as const;

/** A report to read: worst first, each fault explained once with every place where it is. */
export function toMarkdown(review: Review): string {
  const { projects, findings, files } = review;
  if (projects.length === 0) return 'No realtime code found: nothing to review.\n';
  const shown = new Set<string>();
  const lines = [
    '# Review of realtime code',
    '',
    `${projects.join(', ')} (${files} files): ${summary(review)}.`,
    ...start(findings),
    ...SEVERITIES.flatMap((severity) => {
      const group = findings.filter((finding) => finding.severity === severity);
      return group.length === 0
        ? []
        : [
            '',
            `## ${TITLES[severity]}`,
            ...groups(group).flatMap((same) => section(review, same, shown)),
          ];
    }),
    ...list('Repaired', review.fixed),
    ...list(
      'Not judged',
      review.unknown.map(({ path, what }) => `${path}: ${what}`),
    ),
    ...list(
      'In no tsconfig.json: rules that look at other files saw these one at a time',
      review.untyped,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** Checks whose findings let somebody in, the widest open first. */
const DOORS: readonly string[] = [
  'require-gateway-auth',
  'no-guard-on-connection',
  'no-decode-as-verification',
  'no-secret-in-source',
  'no-identity-from-client',
  'no-auth-in-handle-connection',
  'no-room-from-client-input',
  'no-tenant-from-payload',
  'no-unchecked-resource',
  'no-broadcast-without-room',
];
/** From how many findings on a reader is told where to begin. */
const MANY = 10;

/** Three findings that let somebody in, each of another file as far as there are so many. */
function start(findings: readonly Finding[]): string[] {
  if (findings.length < MANY) return [];
  const rank = ({ check }: Finding): number => DOORS.indexOf(check);
  const doors = findings
    .filter((finding) => rank(finding) >= 0 && finding.severity === 'high')
    .sort((a, b) => rank(a) - rank(b));
  const files = new Map<string, Finding>();
  for (const finding of doors) {
    if (!files.has(finding.path)) files.set(finding.path, finding);
  }
  const first = [...new Set([...files.values(), ...doors])].slice(0, 3);
  return first.length === 0
    ? []
    : ['', '## Start here', '', 'These let somebody in:', '', ...first.flatMap(place)];
}

/** `3 high, 1 medium, 0 low; 2 can be repaired with --fix; 1 disabled in the code` */
export function summary({ findings, disabled }: Review): string {
  const counts = countBySeverity(findings);
  const fixable = findings.filter((finding) => finding.fixable).length;
  const parts = [
    findings.length === 0
      ? 'no findings'
      : SEVERITIES.map((severity) => `${counts[severity]} ${severity}`).join(', '),
    ...(fixable > 0 ? [`${fixable} can be repaired with --fix`] : []),
    ...(disabled > 0 ? [`${disabled} disabled in the code`] : []),
  ];
  return parts.join('; ');
}

/** @param shown code that stands further up, which several checks ask for */
function section({ checks }: Review, same: readonly Finding[], shown: Set<string>): string[] {
  const check = checks.get(same[0]?.check ?? '');
  if (!check) return ['', ...same.flatMap(place)];
  const { name, description, why, remedy, url, right = [] } = check;
  const code = right.filter((block) => !shown.has(block));
  for (const block of code) shown.add(block);
  return [
    '',
    `### ${description} (${name})`,
    '',
    ...same.flatMap(place),
    '',
    `Why: ${why}`,
    '',
    `What to do: ${remedy} [More](${url})`,
    ...code.flatMap((block) => ['', '```ts', block.trimEnd(), '```']),
    ...(code.length < right.length ? ['', 'Code that goes with it stands further up.'] : []),
  ];
}

function place({ path, line, column, message, fixable, suggestions }: Finding): string[] {
  return [
    `- ${path}:${line}:${column} ${message}${fixable ? ' (--fix repairs it)' : ''}`,
    ...suggestions.map((suggestion) => `  - ${suggestion}`),
  ];
}

function groups(findings: readonly Finding[]): Finding[][] {
  const byCheck = new Map<string, Finding[]>();
  for (const finding of findings) {
    byCheck.set(finding.check, [...(byCheck.get(finding.check) ?? []), finding]);
  }
  return [...byCheck.values()];
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', `## ${title}`, '', ...items.map((item) => `- ${item}`)];
}
