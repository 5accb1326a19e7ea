import * as parser from '@typescript-eslint/parser';
import { Linter } from 'eslint';
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as rules from '../../../eslint-plugin/src/index.js';
import type { Review, Tools } from '../../src/review/index.js';

export const REPO = resolve(__dirname, '../../../..');

/** What a review loads from a workspace. */
export const tools = { Linter, parser, rules } as unknown as Tools;

/** A new folder that is a workspace, with what is installed here. */
export function reviewRoot(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'review-')));
  symlinkSync(join(REPO, 'node_modules'), join(root, 'node_modules'));
  writeInto(root, '.gitignore', 'node_modules\ndist\nignored\n');
  writeInto(root, 'package.json', '{ "name": "acme", "dependencies": {} }');
  writeInto(root, 'nx.json', '{}');
  writeInto(root, 'package-lock.json', lockOf({}));
  return root;
}

export function writeInto(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** The project.json of a project at a path. */
export function projectInto(root: string, path: string): void {
  const project = { name: path.split('/').at(-1), sourceRoot: `${path}/src` };
  writeInto(root, `${path}/project.json`, JSON.stringify(project));
}

/** A lockfile of npm, version 3. */
export function lockOf(
  packages: Record<string, object>,
  dependencies: Record<string, string> = {},
): string {
  return JSON.stringify(
    { lockfileVersion: 3, packages: { '': { dependencies }, ...packages } },
    null,
    2,
  );
}

/** The text of a main.ts that takes these steps with `app`. */
export const mainOf = (steps: string, imports = ''): string =>
  `import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { AppModule } from './app.module';
${imports}
async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  ${steps}
}
void bootstrap();
`;

/** Where what is found, in order. */
export const placed = ({ findings }: Review): string[] =>
  findings.map(({ path, line, check }) => `${path}:${line} ${check}`).sort();
