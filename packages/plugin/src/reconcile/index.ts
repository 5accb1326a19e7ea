export { MANIFEST_PATH, STATE_FOLDER, basePath, parseManifest, pluginVersion } from './manifest.js';
export { markerLine } from './merge.js';
export type { ReconcileOptions } from './plan.js';
export type { Renaming } from './rename.js';
export { isUntouched, reconcile, removeUnedited } from './reconcile.js';
export type { FileReport, Outcome, ReconcileReport } from './report.js';
export { isOlder } from './version.js';
export { restoreBases, filesWithoutBase } from './restore-bases.js';
