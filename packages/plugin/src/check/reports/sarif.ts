import { FINDING_CLASSES } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import { fingerprint } from './fingerprint.js';

/** SARIF 2.1.0, as code scanning of GitHub and others take it. @param prefix as of annotations */
export function toSarif({ plugin, findings }: Verdict, prefix: string): object {
  const rules = Object.entries(FINDING_CLASSES).map(([id, text]) => ({
    id,
    shortDescription: { text },
  }));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'realtime-check', semanticVersion: plugin.installed, rules } },
        results: findings.map((finding) => ({
          ruleId: finding.class,
          ruleIndex: rules.findIndex(({ id }) => id === finding.class),
          level: finding.level === 'error' ? 'error' : 'note',
          message: {
            text:
              finding.fix === undefined
                ? finding.message
                : `${finding.message}\nFix: ${finding.fix}`,
          },
          locations: [
            {
              physicalLocation: {
                artifactLocation: {
                  uri: (prefix + finding.path).split('/').map(encodeURIComponent).join('/'),
                  uriBaseId: '%SRCROOT%',
                },
                region: { startLine: finding.line ?? 1 },
              },
            },
          ],
          partialFingerprints: { 'realtimeCheck/v1': fingerprint(finding) },
        })),
      },
    ],
  };
}
