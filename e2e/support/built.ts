import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Host } from './host';
import { completeLockfile } from './lockfile';
import { removeAtExit } from './processes';

/** Installs what was built as a container does: the folder alone, by its own lockfile, for production. */
export async function installBuilt(host: Host, dist: string): Promise<Host> {
  const root = mkdtempSync(join(tmpdir(), 'nx-realtime-built-'));
  removeAtExit(root);
  cpSync(host.path(dist), root, { recursive: true });
  completeLockfile(root);
  const built = new Host(root, host.logFile.replace(/\.log$/, '-built.log'));
  await built.run('npm ci --omit=dev');
  return built;
}

/** Paths in a package.json or package-lock.json that are not there in a clone. */
export function pathsOutside(host: Host, file: string): string[] {
  return host.read(file).match(/"(?:file|link):(?:\.\.|\/)[^"]*"/g) ?? [];
}
