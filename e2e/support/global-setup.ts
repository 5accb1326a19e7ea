import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packAll, tarballOf } from './pack';
import { removeAtExit } from './processes';

/** Builds and packs the plugin once for all suites, unless NX_REALTIME_TARBALL names one to test. */
export default function setup(): void {
  if (process.env['NX_REALTIME_TARBALL']) return;
  const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-packed-'));
  removeAtExit(folder);
  process.env['NX_REALTIME_TARBALL'] = tarballOf('@nx-realtime/plugin', packAll(folder));
}
