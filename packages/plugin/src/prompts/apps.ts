import type { HostProject, HostProjects } from '../host/index.js';
import type { Terminal } from './terminal.js';

/**
 * The Nest app that a person chooses of those that there are.
 *
 * @returns what was given; undefined where there is no choice, for the default to be found or missed
 * @throws RealtimeError RT010 where what was given, or the default, is not there
 */
export async function askApp(
  terminal: Terminal,
  projects: HostProjects,
  kind: 'nest' | 'publisher',
  given: string | undefined,
): Promise<string | undefined> {
  const apps = byDefault(projects.apps(kind), 'api-gateway');
  if (given !== undefined || apps.length < 2) {
    projects.resolve(kind, given, 'api-gateway');
    return given;
  }
  const question = kind === 'nest' ? 'Which Nest app serves it?' : 'Which Nest app publishes?';
  return terminal.select(question, apps.map(choice));
}

/**
 * The web app that a person chooses of those that there are, or none.
 *
 * @returns as {@link askApp} does
 * @throws RealtimeError RT012
 */
export async function askWeb(
  terminal: Terminal,
  projects: HostProjects,
  given: string | undefined,
): Promise<string | undefined> {
  if (given === 'none') return given;
  const webs = byDefault(projects.apps('web'), 'web');
  if (given !== undefined || webs.length < 2) {
    projects.resolve('web', given, 'web');
    return given;
  }
  const none = { value: 'none', label: 'none: server only' };
  return terminal.select('Which web app shows it?', [...webs.map(choice), none]);
}

const choice = ({ name, root }: HostProject) => ({ value: name, label: `${name} (${root})` });

/** The one that is taken without a question comes first. */
const byDefault = (apps: readonly HostProject[], name: string): HostProject[] =>
  [...apps].sort((a, b) => Number(b.shortName === name) - Number(a.shortName === name));
