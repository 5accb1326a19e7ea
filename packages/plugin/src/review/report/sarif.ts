import type { Check, Review } from '../finding.js';

const LEVELS = { high: 'error', medium: 'warning', low: 'note' } as const;
/** GitHub's rank of a security finding, by the scale of CVSS. */
const SECURITY = { high: '8.0', medium: '5.0', low: '2.0' } as const;

/** SARIF 2.1.0, as code scanning of GitHub and others take it. */
export function toSarif({ findings, checks }: Review): string {
  const all = [...checks.values()];
  const rules = all.map((check) => ({
    id: check.name,
    shortDescription: { text: check.description },
    fullDescription: { text: check.why },
    help: {
      text: check.remedy,
      markdown: [`${check.remedy} [More](${check.url})`, ...codeOf(check)].join('\n\n'),
    },
    helpUri: check.url,
    defaultConfiguration: { level: LEVELS[check.severity] },
    properties: {
      tags: ['realtime', ...(check.cwe === undefined ? [] : [`external/cwe/cwe-${check.cwe}`])],
      'security-severity': SECURITY[check.severity],
    },
  }));
  const results = findings.map((finding) => ({
    ruleId: finding.check,
    ruleIndex: all.findIndex(({ name }) => name === finding.check),
    level: LEVELS[finding.severity],
    message: { text: finding.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(finding.path), uriBaseId: '%SRCROOT%' },
          region: {
            startLine: finding.line,
            startColumn: finding.column,
            endLine: finding.endLine,
            endColumn: finding.endColumn,
          },
        },
      },
    ],
    partialFingerprints: { 'realtimeReview/v1': finding.fingerprint },
  }));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'realtime-review', rules } },
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

const codeOf = ({ right = [] }: Check): string[] =>
  right.map((block) => `\`\`\`ts\n${block}\`\`\``);

/** Relative to the root; `#`, `?` and the brackets of a route of Next.js are part of the path. */
const uriOf = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
