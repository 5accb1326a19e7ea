import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from '../../../plugin/src/cli/commands.js';

const TMP = resolve(import.meta.dirname, '../../tmp');

export const SECRET = 'a-secret-of-the-command-line-tests';

const NOTIFICATION = {
  name: 'Notification',
  web: null,
  app: 'api-gateway',
  serverEvents: {
    'notification.created': {
      payload: { id: 'string', message: 'string', type: 'string', 'userId?': 'string' },
    },
    'notification.typed': {
      payload: {
        count: 'integer',
        on: 'boolean',
        'tags?': 'string[]',
        'mood?': 'enum(a|b)',
        'any?': 'json',
        'tenant?': 'string',
        'when?': 'datetime',
      },
    },
    'notification.direct': {
      payload: { 'userId?': 'string' },
      audience: { to: 'user', field: 'userId' },
    },
  },
};

const MAIN = "import { NestFactory } from '@nestjs/core';\n";

export interface Ran {
  readonly code: number;
  readonly out: string[];
  readonly notes: string[];
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** What a person answers; without it there is no terminal. */
  readonly answer?: boolean;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
}

/** A workspace on the disk, as far as the command line reads it. */
export class CliHost {
  /** Below this repository, whose packages the host then has. */
  readonly root = (mkdirSync(TMP, { recursive: true }), mkdtempSync(join(TMP, 'cli-')));
  readonly asked: string[] = [];

  constructor() {
    this.write('package.json', '{ "name": "@acme/source", "private": true }');
    this.write('nx.json', '{}');
    this.write('tsconfig.base.json', '{ "compilerOptions": { "paths": {} } }');
    this.addApp('api-gateway');
    this.addDomain('api-gateway', NOTIFICATION);
    this.write('apps/api-gateway/.env.local', `JWT_SECRET=${SECRET}\n`);
  }

  addApp(name: string): void {
    this.write(
      `apps/${name}/project.json`,
      JSON.stringify({ name, sourceRoot: `apps/${name}/src` }),
    );
    this.write(`apps/${name}/src/main.ts`, MAIN);
  }

  addDomain(app: string, domain: { readonly name: string }): void {
    const plural = `${domain.name.toLowerCase()}s`;
    this.write(
      `apps/${app}/src/realtime/${plural}/${plural}.domain.json`,
      JSON.stringify({ ...domain, app, web: null }),
    );
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Runs one command line; rejects as the command does. */
  async run(args: string[], options: RunOptions = {}): Promise<Ran> {
    const out: string[] = [];
    const notes: string[] = [];
    const { answer, onLine } = options;
    const code = await run(
      {
        root: this.root,
        env: options.env ?? {},
        out: (line) => {
          out.push(line);
          onLine?.(line);
        },
        note: (line) => {
          notes.push(line);
          onLine?.(line);
        },
        confirm:
          answer === undefined
            ? null
            : (question) => {
                this.asked.push(question);
                return Promise.resolve(answer);
              },
        signal: options.signal ?? new AbortController().signal,
      },
      args,
    );
    return { code, out, notes };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
