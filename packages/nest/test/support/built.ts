import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { PACKAGE, TMP } from './aliases.js';

const SOURCES = `${PACKAGE}/src/`;

/**
 * In the lane of what is published, the files of the packed tarball take the place of the sources.
 * Node loads them, as it does in an app.
 */
export function built(): Plugin[] {
  const tarball = process.env['NX_REALTIME_NEST_TARBALL'];
  if (process.env['KERNEL_PACKED'] !== '1' || tarball === undefined) return [];
  const folder = resolve(TMP, 'packed/node_modules/@nx-realtime/nest');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  return [
    {
      name: 'built',
      enforce: 'pre',
      async resolveId(source, importer) {
        const found = await this.resolve(source, importer, { skipSelf: true });
        if (!found?.id.startsWith(SOURCES)) return null;
        const file = found.id.slice(SOURCES.length).replace(/\.ts$/, '.js');
        return { id: `${folder}/dist/${file}`, external: true };
      },
    },
  ];
}
