import { logger } from '@nx/devkit';
import type { Derived, ExistingGateway, Finding, Replaced } from '../adopt/index.js';
import { quotesFor } from '../domain/index.js';
import type { FileReport, Outcome, ReconcileReport } from '../reconcile/index.js';
import type { Use, Wired } from '../wiring/index.js';
import type { Updated } from './update-generated.js';
import { indented } from './lines.js';

/** Message to the owner for each outcome; other outcomes show in Nx's own list of changes. */
const NOTES: Partial<Record<Outcome, string>> = {
  merged: 'Merged with your edits',
  conflict: 'Conflicts: resolve the markers, yours against nx-realtime',
  'deleted-by-owner':
    'Deleted by you, not created again (--restore brings a file back, --forget=<path> records it)',
  'base-mismatch': 'Not touched: their merge base is not the one that was written',
  removed: 'No longer generated, removed as they were not edited',
  orphan: 'No longer generated, but edited by you: left where they are, for you to remove',
};

/**
 * Prints what was done to the workspace and what is left for its owner to do.
 *
 * @param steps the latter
 * @param meant events of which a shell seems to have made several
 * @param env what env files hold now, and what was not written, and why
 */
export function printReport(
  steps: string,
  updated: Updated,
  wired: readonly Wired[],
  meant: readonly string[] = [],
  env: readonly string[] = [],
): void {
  printFiles(updated);
  printUnable(wired);
  if (env.length > 0) logger.info(`Environment of development:\n${indented(env)}`);
  logger.info(steps);
  for (const event of meant) logger.warn(quotesFor(event));
}

/** Prints what became of files that their owners have edited. */
export function printFiles({ files, followed, behind, leftBehind }: Updated): void {
  for (const [outcome, title] of Object.entries(NOTES)) {
    const paths = files.filter((file) => file.outcome === outcome).map(({ path }) => path);
    if (paths.length > 0) logger.warn(`${title}:\n${indented(paths)}`);
  }
  if (followed.length > 0) logger.info(`Made to follow the rename:\n${indented(followed)}`);
  if (leftBehind.length > 0) logger.warn(`Left in RabbitMQ:\n${indented(leftBehind)}`);
  if (behind.length > 0) {
    logger.warn(`Named as before, for you to look at:\n${indented(behind.map(describeUse))}`);
  }
}

/** Prints what its owner has to do by hand in files of a shape that is not known. */
export function printUnable(wired: readonly Wired[]): void {
  for (const edit of wired) {
    if (edit.kind !== 'unable') continue;
    logger.warn(
      `RT040 ${edit.path} was left as it is: ${edit.reason}. Paste into it:\n\n${edit.snippet}\n`,
    );
  }
}

/** Names, before anything is written, the gateways that will not work as they do now. */
export function printExistingGateways(gateways: readonly ExistingGateway[]): void {
  const lost = gateways.filter(({ isKept }) => !isKept);
  if (lost.length === 0) return;
  const lines = lost.map(
    ({ path, line, name, problems }) => `${path}:${line}  ${name} ${problems.join('; ')}`,
  );
  logger.warn(
    `From now on one server with one handshake serves all gateways of the app, on its port and by websocket alone:
${indented(lines)}
Give each a namespace, and have its clients connect to that with a token. Or take it over: nx g realtime-domain <Name> --adopt
Until then --keepGateways keeps them as they are, without any protection. It writes, in realtime.module.ts, in RealtimeCoreModule.forRoot():

  keepGateways: [${lost.map(({ name }) => name).join(', ')}],

One on the port of the app needs REALTIME_PATH=/realtime beside it, and path: '/realtime' in createRealtime().`,
  );
}

/** Names the gateways that are left without protection. */
export function printKeptGateways(gateways: readonly ExistingGateway[]): void {
  if (gateways.length === 0) return;
  const lines = gateways.map(({ path, line, name }) => `${path}:${line}  ${name}`);
  const isMoved = gateways.some(({ isOnOurPath }) => isOnOurPath);
  logger.warn(
    `Kept as they are, without any protection, on servers of their own, until they are adopted:
${indented(lines)}${isMoved ? '\nOurs has the path /realtime beside them: set REALTIME_PATH=/realtime in production too.' : ''}`,
  );
}

/** Prints what was taken from hand-written code, and each place of it that is left for its owner. */
export function printAdopted(
  derived: Derived,
  { unwired, gone, findings }: Replaced,
  left: readonly Finding[],
): void {
  const paths = (items: readonly { readonly file: { readonly path: string } }[]): string =>
    indented([...new Set(items.map(({ file }) => file.path))]);
  logger.info(`Derived from:\n${paths(derived.classes)}`);
  if (derived.renamed.length > 0) {
    logger.warn(`Renamed, publishers and clients have to follow:\n${indented(derived.renamed)}`);
  }
  if (unwired.length > 0) {
    logger.info(`No longer provided by their modules:\n${indented(unwired)}`);
  }
  const all = [...derived.findings, ...findings, ...left];
  if (all.length > 0) {
    logger.warn(
      `Not merged, for you to look at:\n${indented(all.map(({ path, line, what }) => `${path}:${line} ${what}`))}`,
    );
  }
  if (gone.length > 0) {
    logger.info(
      `When all of it is where it belongs, delete what is no longer used:\n${paths(gone)}`,
    );
  }
}

/** `apps/web/src/app/page.tsx:12 NotificationCreated` */
export const describeUse = ({ path, line, what }: Use): string => `${path}:${line} ${what}`;

/** The files of a report that were written, each with the reason. */
export function writtenFiles(files: ReconcileReport): string[] {
  return files.filter(({ written }) => written).map(describeFile);
}

const describeFile = ({ path, outcome, from }: FileReport): string =>
  `${outcome} ${path}${from === undefined ? '' : ` (was ${from})`}`;
