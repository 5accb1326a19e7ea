import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO } from './repo';

/**
 * What a README of this repository says under a heading of the second level, without the heading.
 * @param file relative to the repository
 * @throws when there is no such heading
 */
export function sectionOf(file: string, heading: string): string {
  const sections = readFileSync(join(REPO, file), 'utf8').split(/^## /m);
  const found = sections.find((section) => section.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`${file} has no section "${heading}".`);
  return found.slice(heading.length).trim();
}

/** Each line of the shell blocks in a text. */
export function commandsIn(text: string): string[] {
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );
}
