/** Cost of a fault: other people's data or the process; lost events or sockets; upkeep. */
export type Severity = 'high' | 'medium' | 'low';

export const SEVERITIES: readonly Severity[] = ['high', 'medium', 'low'];

/** Description of one check for reports: a rule, or a look at the whole workspace. */
export interface Check {
  readonly name: string;
  readonly severity: Severity;
  /** Messages that weigh less or more than the check, by their id. */
  readonly severities?: Readonly<Record<string, Severity>>;
  /** One line, imperative. */
  readonly description: string;
  /** The harm. */
  readonly why: string;
  /** The correct version. */
  readonly remedy: string;
  /** Address of its page. */
  readonly url: string;
  /** Number in the Common Weakness Enumeration. */
  readonly cwe?: number;
  /** Blocks of code to write instead. */
  readonly right?: readonly string[];
}

/** A place in a file. Lines and columns count from 1, the end is behind the last character. */
export interface Place {
  /** Relative to the workspace, with slashes. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface Finding extends Place {
  readonly check: string;
  readonly severity: Severity;
  readonly message: string;
  /** `--fix` repairs it. */
  readonly fixable: boolean;
  /** Repairs that somebody must choose, in words. */
  readonly suggestions: readonly string[];
  /** Same for the same fault, wherever its lines have moved to. */
  readonly fingerprint: string;
}

/** A finding as a check makes it. */
export type Found = Omit<Finding, 'severity' | 'fingerprint' | 'suggestions' | 'fixable'> &
  Partial<Pick<Finding, 'severity' | 'suggestions' | 'fixable'>>;

/** Something that could not be judged, for the reader to look at. */
export interface Unknown {
  readonly path: string;
  readonly what: string;
}

/** The result of a review. */
export interface Review {
  /** Names of the projects that were reviewed. */
  readonly projects: readonly string[];
  /** Number of files read. */
  readonly files: number;
  /** Worst first, then by place. */
  readonly findings: readonly Finding[];
  /** The checks that findings name. */
  readonly checks: ReadonlyMap<string, Check>;
  /** Findings that a comment in the code disables. */
  readonly disabled: number;
  readonly unknown: readonly Unknown[];
  /** Files that belong to no tsconfig.json: rules that look at other files saw one at a time. */
  readonly untyped: readonly string[];
  /** Files that `--fix` changed. */
  readonly fixed: readonly string[];
}

/** Number of findings of each severity. */
export function countBySeverity(findings: readonly Finding[]): Record<Severity, number> {
  const counts = { high: 0, medium: 0, low: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

/** True if one severity is at least as grave as another. */
export const isAtLeast = (severity: Severity, least: Severity): boolean =>
  SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(least);

/** The place of a part of a text, by offsets. */
export function placeOf(path: string, text: string, start: number, end: number): Place {
  const from = positionOf(text, start);
  const to = positionOf(text, end);
  return { path, ...from, endLine: to.line, endColumn: to.column };
}

function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return {
    line: before.split('\n').length,
    column: offset - (before.lastIndexOf('\n') + 1) + 1,
  };
}
