import { isMap, parseDocument } from 'yaml';
import type { YAMLMap } from 'yaml';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';

/** Adds to a YAML file the keys of `defaults` that it lacks, at any depth; what is there stays. */
export function ensureYaml(text: string, defaults: string): Edit {
  if (text.trim() === '') return done(defaults);
  const document = parseDocument(text);
  const wanted = parseDocument(defaults);
  if (document.errors.length > 0 || !isMap(document.contents) || !isMap(wanted.contents)) {
    return unable(defaults);
  }
  return addMissing(document.contents, wanted.contents) ? done(document.toString()) : already;
}

function addMissing(target: YAMLMap, wanted: YAMLMap): boolean {
  let added = false;
  for (const item of wanted.items) {
    const held = target.get(item.key, true) as unknown;
    if (held === undefined) {
      target.items.push(item);
      added = true;
    } else if (isMap(held) && isMap(item.value)) {
      added = addMissing(held, item.value) || added;
    }
  }
  return added;
}
