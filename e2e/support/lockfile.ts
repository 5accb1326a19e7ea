import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  optionalDependencies?: Record<string, string>;
}

interface Lockfile {
  packages: Record<string, LockedPackage>;
}

const SYSTEMS =
  /(?:^|[-/])(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)(?:-|$)/;
const CPUS = /-(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64)(?:-|$)/;

/**
 * Adds to a package-lock.json the optional packages of other platforms that npm left out.
 *
 * npm omits an optional package whose version the registry does not have, as happens with mirrors, and then
 * refuses the lock in `npm ci` ("Missing: ... from lock file"). With a complete registry this does nothing.
 *
 * @returns the names added
 */
export function completeLockfile(folder: string): string[] {
  const file = join(folder, 'package-lock.json');
  if (!existsSync(file)) throw new Error(`${file} does not exist.`);
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lockfile;
  const added = new Set<string>();
  for (const [path, parent] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
      if (resolve(lock, path, name)) continue;
      const taken = `node_modules/${name}` in lock.packages;
      lock.packages[taken ? `${path}/node_modules/${name}` : `node_modules/${name}`] = {
        version: range.replace(/^[~^]/, ''),
        ...platformOf(name),
        ...(parent.dev && { dev: true }),
        optional: true,
      };
      added.add(name);
    }
  }
  if (added.size > 0) {
    lock.packages = Object.fromEntries(
      Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
    );
    writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  }
  return [...added].sort();
}

/** As Node finds a package: the nearest node_modules upwards. */
function resolve(lock: Lockfile, from: string, name: string): boolean {
  for (let path = from; ; path = path.slice(0, path.lastIndexOf('/node_modules/'))) {
    if (`${path && `${path}/`}node_modules/${name}` in lock.packages) return true;
    if (!path.includes('/node_modules/')) break;
  }
  return `node_modules/${name}` in lock.packages;
}

/** npm does not even look for a package of another system or processor. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu'> {
  const os = SYSTEMS.exec(name)?.[1];
  const cpu = CPUS.exec(name)?.[1];
  return { ...(cpu && { cpu: [cpu] }), ...(os && { os: [os] }) };
}
