import type { Verdict } from '../verdict.js';
import { fingerprint } from './fingerprint.js';

/** The Code Quality report of GitLab, a subset of Code Climate's. @param prefix as of annotations */
export function toCodeQuality({ findings }: Verdict, prefix: string): object[] {
  return findings.map((finding) => ({
    description: finding.message,
    check_name: `realtime-check/${finding.class}`,
    fingerprint: fingerprint(finding),
    severity: finding.level === 'error' ? 'major' : 'info',
    location: { path: prefix + finding.path, lines: { begin: finding.line ?? 1 } },
  }));
}
