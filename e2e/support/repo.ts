import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The root of this repository, from a working directory anywhere inside it. */
export const REPO = findRepo(process.cwd());

/** A path under test-artifacts, where logs and screenshots are kept. The folder exists. */
export function artifact(name: string): string {
  const folder = join(REPO, 'test-artifacts');
  mkdirSync(folder, { recursive: true });
  return join(folder, name);
}

function findRepo(folder: string): string {
  const manifest = join(folder, 'package.json');
  if (existsSync(manifest)) {
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string };
    if (name === '@nx-realtime/source') return folder;
  }
  if (folder === dirname(folder)) throw new Error('Run this inside the nx-realtime repository.');
  return findRepo(dirname(folder));
}
