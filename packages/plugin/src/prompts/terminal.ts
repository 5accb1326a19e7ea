import { RealtimeError } from '../domain/index.js';

/** One thing to choose. */
export interface Choice<T extends string> {
  readonly value: T;
  /** Label; the value itself when absent. */
  readonly label?: string;
}

/** Asks the person at the terminal. */
export interface Terminal {
  /**
   * A line of text, asked again until it fits.
   *
   * @param check throws a RealtimeError for an answer that does not fit; its message is shown
   * @returns the answer, trimmed; `preset` for Enter alone
   */
  text(question: string, check: (answer: string) => unknown, preset?: string): Promise<string>;
  /** One of several; Enter takes the first. */
  select<T extends string>(question: string, choices: readonly Choice<T>[]): Promise<T>;
}

/** The shell's exit code of what Ctrl-C has ended. */
const INTERRUPTED = 130;

/**
 * The terminal, where this generator is what a person runs in one: not in CI, not with
 * `--no-interactive`, not where another generator calls it, whose author has chosen the options.
 * Nx tells by NX_INTERACTIVE; its own prompts cannot list what is in the workspace, and check what is
 * typed against a type, so that a list can never be answered.
 *
 * @param generator `realtime-domain`
 * @returns null where nobody is to be asked
 */
export function terminalOf(generator: string): Terminal | null {
  const { env, stdin, stdout, argv } = process;
  const isRun = argv.slice(2).some((arg) => arg === generator || arg.endsWith(`:${generator}`));
  const isAsked = env['NX_INTERACTIVE'] === 'true' && env['CI'] !== 'true';
  return isRun && isAsked && stdin.isTTY && stdout.isTTY ? { text, select } : null;
}

async function text(
  message: string,
  check: (answer: string) => unknown,
  preset?: string,
): Promise<string> {
  const { text: ask } = await import('@clack/prompts');
  const answer = await ask({
    message,
    ...(preset !== undefined && { placeholder: preset, defaultValue: preset }),
    validate: (value) => problemOf(check, typed(value) || (preset ?? '')),
  });
  return typed(answered(answer)) || (preset ?? '');
}

async function select<T extends string>(
  message: string,
  choices: readonly Choice<T>[],
): Promise<T> {
  const { select: ask } = await import('@clack/prompts');
  const options = choices.map(({ value, label = value }) => ({ value: value as string, label }));
  return answered(await ask({ message, options })) as T;
}

/** Without the quotes that only a shell needs. */
const typed = (value = ''): string => value.trim().replace(/^(['"])(.*)\1$/, '$2');

/** Fault of an answer; undefined where it fits. */
function problemOf(check: (answer: string) => unknown, answer: string): string | undefined {
  try {
    check(answer);
    return undefined;
  } catch (error) {
    if (error instanceof RealtimeError) return error.message;
    throw error;
  }
}

/** Ends the command where Ctrl-C or Escape was the answer: what it has changed is in memory alone. */
function answered(answer: string | symbol): string {
  if (typeof answer === 'string') return answer;
  process.stderr.write('Cancelled: nothing was written.\n');
  process.exit(INTERRUPTED);
}
