import { stripVTControlCharacters } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { hostEnv, type Host } from './host';
import { startInput, type Running } from './processes';

/** What the keys of a keyboard send. */
export const KEYS = {
  enter: '\r',
  down: '\u001B[B',
  ctrlC: '\u0003',
  /** What readline deletes a line by. */
  clear: '\u0015',
} as const;

const ROWS = 40;
const COLUMNS = 100;

/**
 * A command that a person runs in a terminal: a pseudo-terminal of `script`, which is on every Debian and every Mac's
 * Linux alike. node-pty would do no more here, and has to be compiled.
 */
export class Terminal {
  /** How far its output was read. */
  private read = 0;

  private constructor(
    private readonly running: Running,
    private readonly command: string,
  ) {}

  /** Runs a command line at the root of a workspace, in an environment that is not that of CI. */
  static open(host: Host, command: string): Terminal {
    const env = hostEnv({ CI: undefined, NX_INTERACTIVE: undefined, TERM: 'xterm-256color' });
    const inside = `stty rows ${ROWS} columns ${COLUMNS}; exec ${command}`;
    const quoted = `'${inside.replaceAll("'", String.raw`'\''`)}'`;
    const running = startInput(`exec script -qefc ${quoted} /dev/null`, {
      cwd: host.root,
      env,
      logFile: host.logFile,
    });
    return new Terminal(running, command);
  }

  /** What was printed since the last pattern was found, without colours. */
  get text(): string {
    return this.all().slice(this.read);
  }

  /**
   * Waits until a pattern is printed, and reads on behind it.
   *
   * @returns what was printed until then
   * @throws Error when the command ends, or two minutes pass, without it
   */
  async sees(pattern: RegExp): Promise<string> {
    let ended = false;
    void this.running.exited.then(() => (ended = true));
    for (const deadline = Date.now() + 120_000; ;) {
      const isOver = ended || Date.now() > deadline;
      const found = pattern.exec(this.text);
      if (found) {
        const until = this.text.slice(0, found.index + found[0].length);
        this.read += until.length;
        return until;
      }
      if (isOver) throw new Error(`"${this.command}" did not print ${pattern}:\n${this.text}`);
      await delay(50);
    }
  }

  press(...keys: readonly string[]): void {
    for (const key of keys) this.running.write(key);
  }

  /** Waits until it has ended. @returns its exit code and what it printed since the last pattern */
  async ends(): Promise<{ code: number | NodeJS.Signals; text: string }> {
    const code = await this.running.exited;
    await this.running.stop(0);
    return { code, text: this.text };
  }

  private all(): string {
    return stripVTControlCharacters(this.running.output()).replaceAll('\r', '');
  }
}
