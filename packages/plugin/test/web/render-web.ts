import { render } from 'ejs';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { draftDomain } from '../../src/domain/index.js';
import type { DomainOptions } from '../../src/domain/index.js';
import { domainView } from '../../src/render/build-view.js';

/** Listed and unlisted events, with and without commands, and names that are hard to survive. */
const DOMAINS: readonly DomainOptions[] = [
  { name: 'Notification', clientEvents: ['markRead{notificationId}'] },
  {
    name: 'Chat',
    serverEvents: [
      'message.created{id,body,kind:enum(text|image)}',
      'typing{userId}',
      'edited{id}',
    ],
    clientEvents: ['send{body}', 'status{text?}', 'delete{id}'],
  },
  { name: 'News' },
  { name: 'Class', serverEvents: ['started{at:datetime,meta:json}', 'ended'] },
  { name: 'constructor' },
  { name: 'Promise' },
  { name: 'Map', clientEvents: ['open{id}'] },
];

/** Emptied of server events by hand, as a domain file may be. */
const SILENT: ReadonlySet<string> = new Set(['Map']);

const TEMPLATES = resolve(import.meta.dirname, '../../templates');
const TARGET = resolve(import.meta.dirname, '../../tmp/web');

/** Writes the browser side of DOMAINS, laid out as in a host, where the web project's aliases point. */
export default function setup(): void {
  rmSync(TARGET, { recursive: true, force: true });
  const views = DOMAINS.map((options) => {
    const draft = draftDomain(options, null);
    const serverEvents = SILENT.has(options.name) ? [] : draft.serverEvents;
    const domain = { ...draft, serverEvents, app: 'api-gateway', web: 'web' };
    return domainView(domain, '@acme/realtime-contracts');
  });
  for (const folder of ['web', 'contracts']) {
    const root = join(TEMPLATES, folder);
    for (const path of readdirSync(root, { recursive: true, encoding: 'utf-8' })) {
      if (!/\.(?:tsx?|ejs)$/.test(path)) continue;
      const text = readFileSync(join(root, path), 'utf-8');
      const from = posix.dirname(path);
      const web = {
        client: importOf(from, 'lib/realtime/realtime-client'),
        authStore: importOf(from, 'stores/auth.store'),
        testRunner: 'vitest',
      };
      for (const d of path.includes('__domain__') ? views : [undefined]) {
        const content = path.endsWith('.ejs') ? render(text, { web, d }) : text;
        const name = path.replaceAll('__domain__', d?.kebabPlural ?? '').replace(/\.ejs$/, '');
        if (content.trim() !== '') write(join(folder, name), content);
      }
    }
  }
  const tsconfig = {
    extends: '../../test/web/tsconfig.json',
    compilerOptions: { declaration: true, noEmit: false, outDir: '../web-out' },
    include: ['.'],
  };
  write('tsconfig.json', JSON.stringify(tsconfig, null, 2));
}

function importOf(from: string, to: string): string {
  const path = posix.relative(from, to);
  return path.startsWith('.') ? path : `./${path}`;
}

function write(path: string, content: string): void {
  const target = join(TARGET, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
}
