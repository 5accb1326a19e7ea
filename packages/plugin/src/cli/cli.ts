import { RealtimeError } from '../domain/index.js';

/** Input and output of a command. */
export interface Cli {
  /** The workspace's root. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** A line of the result, to stdout. */
  out(line: string): void;
  /** A line about what happens, to stderr. */
  note(line: string): void;
  /** Asks a person; null where there is no terminal. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A command: its help, and what it does. */
export interface Command {
  readonly summary: string;
  readonly help: string;
  /**
   * @returns the exit code
   * @throws RealtimeError for a mistake of the user's
   */
  run(cli: Cli, args: string[]): Promise<number>;
}

/**
 * Lets a person confirm a change of a broker that may be in use; this machine's need no question.
 *
 * @throws RealtimeError RT039 where nobody can be asked
 */
export async function confirmRemote(
  cli: Cli,
  { url, production, yes, what }: { url: string; production: boolean; yes: boolean; what: string },
): Promise<boolean> {
  const host = hostOf(url);
  const local = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::|$)/.test(host);
  if (yes || (local && !production)) return true;
  return ask(cli, `${what} on ${host}${production ? ' (NODE_ENV is production)' : ''}?`);
}

/** @throws RealtimeError RT039 where nobody can be asked */
export async function ask(cli: Cli, question: string): Promise<boolean> {
  if (cli.confirm) return cli.confirm(question);
  throw new RealtimeError('RT039', `${question} There is no terminal to ask: pass --yes.`);
}

/** The host and port of a URL, which may hold a password. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    throw new RealtimeError(
      'RT032',
      'RABBITMQ_URL is no URL; allowed: amqp://user:password@host:5672',
    );
  }
}
