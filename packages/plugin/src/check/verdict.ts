import type { ContractChange } from '../domain/index.js';

/** Faults, each with its own remedy. */
export const FINDING_CLASSES = {
  invalid: 'A domain file is wrong, or something is in the way of what it generates.',
  'plugin-older': 'The installed plugin is older than the one that generated the code.',
  'domain-changed': 'A domain file changed, and the code does not follow it yet.',
  'templates-newer': 'The plugin generates this file differently than when it was written.',
  'file-missing': 'A generated file was deleted.',
  'deletion-recorded': 'A generated file was deleted, and that is recorded.',
  orphan: 'A generated file that no domain needs any more.',
  'base-mismatch': 'The base of a merge is not the one that was written.',
  'conflict-markers': 'Conflict markers are left in a file.',
  'wiring-lost': 'What was generated is not used by the workspace any more.',
  'kernel-missing': 'A package that the generated code imports is not installed.',
  'kernel-version': 'A kernel has another version than the plugin.',
  'kernel-twice': 'A kernel is installed twice.',
  'sync-not-registered': 'The sync generator is not registered, so nx sync:check is always green.',
  'gateway-unserved': 'A gateway is not served as its decorator asks.',
  'gateway-kept': 'A gateway from before is kept, without protection.',
  'contract-unreadable': 'A domain file of the compared commit cannot be read.',
  'contract-broken': 'The contract breaks those who were built against it.',
  'contract-changed': 'The contract changed, and breaks nobody.',
} as const;

export type FindingClass = keyof typeof FINDING_CLASSES;

export interface Finding {
  readonly class: FindingClass;
  /** Only an error turns the verdict red. */
  readonly level: 'error' | 'info';
  /** Relative to the workspace's root, with `/`. */
  readonly path: string;
  /** From 1. */
  readonly line?: number;
  readonly message: string;
  /** A command line, or what to do by hand. */
  readonly fix?: string;
  /** Unified: from what is there to what the fix makes of it. */
  readonly diff?: string;
  /** Set for the classes that begin with `contract-`. */
  readonly change?: Pick<ContractChange, 'rule' | 'domain' | 'event' | 'field'>;
}

export interface Verdict {
  /** No finding is an error. */
  readonly ok: boolean;
  /** The version that checks, and the one that wrote the code last. */
  readonly plugin: { readonly installed: string; readonly wrote: string };
  readonly domains: number;
  /** The git ref that the contract was compared with. */
  readonly against?: string;
  readonly findings: readonly Finding[];
}
