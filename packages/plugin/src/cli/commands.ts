import { RealtimeError } from '../domain/index.js';
import { pluginVersion } from '../reconcile/index.js';
import { closest } from './args.js';
import type { Cli, Command } from './cli.js';
import { deadLetters } from './dead-letters.js';
import { emit } from './emit.js';
import { env } from './env.js';
import { listen } from './listen.js';
import { token } from './token.js';

const COMMANDS: Readonly<Record<string, Command>> = {
  env,
  token,
  emit,
  listen,
  'dead-letters': deadLetters,
};

const USAGE = `nx-realtime <command> [--help] | --version

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(13)} ${summary}`)
  .join('\n')}

Variables come from the environment, then from .env.local and .env of the app, then of the workspace.`;

/**
 * Runs one command line.
 *
 * @returns the exit code
 * @throws RealtimeError for a mistake of the user's
 */
export async function run(cli: Cli, [name, ...args]: string[]): Promise<number> {
  if (name === undefined || ['help', '--help', '-h'].includes(name)) {
    cli.out(USAGE);
    return 0;
  }
  if (['--version', '-v'].includes(name)) {
    cli.out(pluginVersion());
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    const meant = closest(name, Object.keys(COMMANDS));
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    throw new RealtimeError('RT038', `There is no command "${name}".${hint}\n\n${USAGE}`);
  }
  if (args.includes('--help') || args.includes('-h')) {
    cli.out(command.help);
    return 0;
  }
  return command.run(cli, args);
}
