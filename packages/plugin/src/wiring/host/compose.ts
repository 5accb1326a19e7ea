import type { Tree } from '@nx/devkit';
import { ensureYaml } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/** File with the broker and the Redis of development; also its name among the templates. */
export const COMPOSE_FILE = 'docker-compose.realtime.yml';

/** Adds the services that the compose file lacks. @param defaults the whole file as a new host gets it */
export function wireCompose(tree: Tree, defaults: string): Wired {
  return editFile(tree, COMPOSE_FILE, (text) => ensureYaml(text, defaults));
}
