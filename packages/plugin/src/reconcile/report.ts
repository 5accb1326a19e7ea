/** Outcome of one file. */
export type Outcome =
  /** new in the host */
  | 'created'
  /** the owner had not edited it: replaced by the new text */
  | 'updated'
  /** the owner's edits and the new text, together */
  | 'merged'
  /** conflict markers in it: new ones, or old ones that nobody has resolved yet */
  | 'conflict'
  /** the owner's: there was something new, and the owner's text stands unchanged */
  | 'kept'
  /** nothing new */
  | 'unchanged'
  /** the owner deleted it, and it was not created again */
  | 'deleted-by-owner'
  /** the owner had deleted it, and asked for it again */
  | 'restored'
  /** the owner deleted it, and that is recorded */
  | 'forgotten'
  /** it was there before us, and is generated from now on */
  | 'adopted'
  /** its base is not what was written last, so nothing can be merged: left alone */
  | 'base-mismatch'
  /** no longer part of any domain, and as it was generated, or removed by force */
  | 'removed'
  /** no longer part of any domain, and edited by its owner: left alone */
  | 'orphan';

export interface FileReport {
  readonly path: string;
  readonly outcome: Outcome;
  /** True if the file itself was written. */
  readonly written: boolean;
  /** New conflicts in it; 0 for a `conflict` that was there before. */
  readonly conflicts: number;
  /** Its path until now, when it was another. */
  readonly from?: string;
}

/** One entry a file, ordered by path. */
export type ReconcileReport = readonly FileReport[];
