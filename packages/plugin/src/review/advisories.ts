import type { Tree } from '@nx/devkit';
import { placeOf } from './finding.js';
import type { Found, Severity, Unknown } from './finding.js';
import { chainsOf, readLock } from '../host/index.js';
import type { Installed } from '../host/index.js';

interface Advisory {
  readonly name: string;
  /** The lowest version without the fault, for an installed one. */
  readonly floor: (installed: string) => string;
  readonly fault: string;
  readonly severity: Severity;
}

const at = (floor: string) => (): string => floor;

/** Known vulnerabilities of the packages that realtime code stands on. */
const ADVISORIES: readonly Advisory[] = [
  {
    name: 'ws',
    floor: at('8.21.0'),
    fault: 'anybody exhausts its memory by tiny fragments (CVE-2026-48779)',
    severity: 'high',
  },
  {
    name: 'engine.io',
    floor: at('6.6.9'),
    fault: 'anybody exhausts its polling connections (CVE-2026-59725)',
    severity: 'high',
  },
  {
    name: 'socket.io-parser',
    floor: at('4.2.7'),
    fault: 'anybody exhausts its memory by crafted packets (CVE-2026-69185)',
    severity: 'high',
  },
  {
    name: 'socket.io',
    floor: at('4.6.2'),
    fault: 'a crafted packet ends the process (CVE-2024-38355)',
    severity: 'high',
  },
  {
    name: 'jsonwebtoken',
    floor: at('9.0.0'),
    fault:
      'keys may be confused and algorithms chosen by whom the token comes from (CVE-2022-23539, CVE-2022-23540, CVE-2022-23541)',
    severity: 'high',
  },
  {
    name: 'next',
    floor: (installed) => (isBelow(installed, '16.0.0') ? '15.5.18' : '16.2.6'),
    fault:
      'an upgrade to websockets makes it send requests to any address (CVE-2026-44578), and its middleware can be bypassed',
    severity: 'high',
  },
  {
    name: '@nestjs/microservices',
    floor: at('11.1.19'),
    fault:
      'a message by TCP ends the process (GHSA-hpwf-8g29-85qm); other transports are not concerned',
    severity: 'low',
  },
];

/** The copies below a floor that the workspace needs at run time, nested ones too, and what brings each. */
export function checkLock(tree: Tree): { found: Found[]; unknown: Unknown[] } {
  const lock = readLock(tree);
  if (!lock) {
    return {
      found: [],
      unknown: [
        { path: 'package.json', what: 'there is no lockfile: what is installed was not checked' },
      ],
    };
  }
  if ('problem' in lock) return { found: [], unknown: [{ path: lock.path, what: lock.problem }] };
  const text = tree.read(lock.path, 'utf-8') ?? '';
  const found: Found[] = [];
  for (const [key, chain] of chainsOf(lock)) {
    const copy = chain.at(-1);
    const advisory = ADVISORIES.find(({ name }) => name === copy?.name);
    if (!copy || !advisory) continue;
    const floor = advisory.floor(copy.version);
    if (!isBelow(copy.version, floor)) continue;
    const start = Math.max(text.indexOf(lock.path === 'package-lock.json' ? `"${key}"` : key), 0);
    found.push({
      check: 'vulnerable-dependency',
      severity: advisory.severity,
      message: `${copy.name} ${copy.version} is below ${floor}: ${advisory.fault}. ${remedyOf(lock.path, chain, floor)}`,
      ...placeOf(lock.path, text, start, start),
    });
  }
  return { found, unknown: [] };
}

/** The remedy that lifts a copy to the floor: an update where the workspace asks for it itself, else an override. */
function remedyOf(lock: string, chain: readonly Installed[], floor: string): string {
  const [first, ...others] = chain;
  const copy = chain.at(-1);
  if (!copy || !first || others.length === 0) {
    return `The workspace asks for it itself: raise it to ^${floor}.`;
  }
  const path = chain.map(({ name }) => name).join(' > ');
  if (majorOf(copy.version) !== majorOf(floor)) {
    return `Brought by ${path}: update ${chain.at(-2)?.name ?? first.name} to a version that takes ${copy.name} ${majorOf(floor)}.`;
  }
  const override = `{ "${copy.name}": "^${floor}" }`;
  const entry = {
    'package-lock.json': `"overrides": ${override}`,
    'yarn.lock': `"resolutions": ${override}`,
    'pnpm-lock.yaml': `"pnpm": { "overrides": ${override} }`,
  }[lock];
  return `Brought by ${path}. Add ${entry ?? override} to the workspace's package.json and install.`;
}

const majorOf = (version: string): string => version.split('.')[0] ?? '';

/** Compares versions; a prerelease is below its release. */
export function isBelow(version: string, floor: string): boolean {
  const parts = (text: string): number[] => (text.split(/[-+]/)[0] ?? '').split('.').map(Number);
  const [held, wanted] = [parts(version), parts(floor)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (held[index] ?? 0) - (wanted[index] ?? 0);
    if (Number.isNaN(difference)) return false;
    if (difference !== 0) return difference < 0;
  }
  return version.includes('-') && !floor.includes('-');
}
