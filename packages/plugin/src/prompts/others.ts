import type { Tree } from '@nx/devkit';
import { HostProjects, hostDomains } from '../host/index.js';
import { RealtimeError } from '../domain/index.js';
import { askApp } from './apps.js';
import { askDomainName } from './event.js';
import { terminalOf } from './terminal.js';

/**
 * Asks which domain `realtime-remove` removes, also where there is but one: it is lost then.
 *
 * @throws RealtimeError RT050 without it where nobody can be asked
 */
export async function askRemoved<T extends { readonly domain?: string | undefined }>(
  tree: Tree,
  options: T,
): Promise<T & { readonly domain: string }> {
  if (options.domain !== undefined) return { ...options, domain: options.domain };
  const terminal = terminalOf('realtime-remove');
  const domains = hostDomains(tree, new HostProjects(tree));
  const domain = await askDomainName(terminal, domains, 'Which domain is to be removed?');
  return { ...options, domain };
}

/**
 * Asks which app publishes.
 *
 * @throws RealtimeError RT010 without it where nobody can be asked
 */
export async function askPublisher<T extends { readonly app?: string | undefined }>(
  tree: Tree,
  options: T,
): Promise<T & { readonly app: string }> {
  if (options.app !== undefined) return { ...options, app: options.app };
  const projects = new HostProjects(tree);
  const names = projects.apps('publisher').map(({ name }) => name);
  const terminal = terminalOf('realtime-publisher');
  const app = terminal && ((await askApp(terminal, projects, 'publisher', undefined)) ?? names[0]);
  if (app) return { ...options, app };
  throw new RealtimeError(
    'RT010',
    `Which Nest app publishes? nx g realtime-publisher <app>. Found: ${names.join(', ') || 'none'}.`,
  );
}
