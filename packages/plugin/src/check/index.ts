export { checkWorkspace } from './check.js';
export { toAnnotations } from './reports/annotations.js';
export { toCodeQuality } from './reports/code-quality.js';
export { toSarif } from './reports/sarif.js';
export { toText } from './reports/text.js';
export type { Finding, FindingClass, Verdict } from './verdict.js';
