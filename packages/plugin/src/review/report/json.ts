import { countBySeverity } from '../finding.js';
import type { Review } from '../finding.js';

/** The report for other programs. */
export function toJson(review: Review): string {
  const { checks, ...rest } = review;
  const report = {
    counts: countBySeverity(review.findings),
    ...rest,
    checks: [...checks.values()],
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
