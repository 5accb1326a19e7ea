import { render } from 'ejs';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { draftDomain } from '../../src/domain/index.js';
import type { DomainOptions } from '../../src/domain/index.js';
import { domainView } from '../../src/render/build-view.js';

/** The domains that the kernel is tested with: both kinds of rooms, with and without client events. */
const DOMAINS: readonly DomainOptions[] = [
  { name: 'Notification', clientEvents: ['markRead{notificationId}'] },
  { name: 'Chat', rooms: 'user', serverEvents: ['message.created{id,body,userId}'] },
];

const TEMPLATES = resolve(import.meta.dirname, '../../templates');
const TARGET = resolve(import.meta.dirname, '../../tmp/kernel');

/** Writes the server side of DOMAINS into a folder that the kernel project's aliases point to. */
export default function setup(): void {
  rmSync(TARGET, { recursive: true, force: true });
  const domains = DOMAINS.map((options) =>
    domainView(
      { ...draftDomain(options, null), app: 'api-gateway', web: null },
      '@acme/realtime-contracts',
    ),
  );
  const app = { name: 'api-gateway', domains };
  for (const [folder, target] of [
    ['server', 'realtime'],
    ['contracts', 'contracts'],
  ] as const) {
    for (const path of readdirSync(join(TEMPLATES, folder), {
      recursive: true,
      encoding: 'utf-8',
    })) {
      if (!/\.(?:ts|ejs)$/.test(path)) continue;
      const text = readFileSync(join(TEMPLATES, folder, path), 'utf-8');
      for (const d of path.includes('__domain__') ? domains : [undefined]) {
        const content = path.endsWith('.ejs') ? render(text, { app, d }) : text;
        const name = path.replaceAll('__domain__', d?.kebabPlural ?? '').replace(/\.ejs$/, '');
        if (content.trim() !== '') write(join(TARGET, target, name), content);
      }
    }
  }
  const tsconfig = {
    extends: '../../templates/tsconfig.json',
    compilerOptions: {
      paths: { '@acme/realtime-contracts/*': ['./contracts/*.contract.ts'] },
      types: ['node', 'vitest/globals'],
    },
    include: ['.'],
  };
  write(join(TARGET, 'tsconfig.json'), JSON.stringify(tsconfig, null, 2));
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
