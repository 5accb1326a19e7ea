import type { BindingIdentifier, Node } from 'oxc-parser';
import type { RenameWord } from '../domain/index.js';
import { loadParser } from '../host/index.js';

/** Renames between the generated code of the last run and of this one. */
export interface Renaming {
  /** Earlier path of the file that is to be at this path now; the same path for most. */
  readonly pathBefore: (path: string) => string;
  readonly renameWord: RenameWord;
}

/** The new spelling of a word in the file at that path, or nothing where it stays. */
export type Spelling = (word: Word, path: string) => string | undefined;

/** A word of a text and where it stands: an identifier, or the content of a string. */
interface Word {
  readonly text: string;
  readonly start: number;
  /** The owner of a member. */
  readonly of?: string;
  /** The name of that object's type, where a parameter of the file states it. */
  readonly type?: string;
}

/** Event names, paths and identifiers within text. */
const WITHIN_TEXT = /[A-Za-z_$@][\w$]*(?:[./-]+[A-Za-z_$][\w$]*)*/g;

/**
 * Words that a rename may change: words that generated code had and has no more, under a spelling that it
 * has now. So nothing is touched that its owner named.
 *
 * @param before texts rendered last, with their paths @param next texts rendered now
 */
export function spellingOf(
  renameWord: RenameWord,
  before: readonly (readonly [path: string, text: string])[],
  next: readonly (readonly [path: string, text: string])[],
): Spelling {
  const written = new Map(before.map(([path, text]) => [path, wordsOf(path, text)]));
  const all = [...written.values()].flat();
  const old = new Set(all.map(({ text }) => text));
  const members = new Set(all.map(memberText));
  const now = new Set(next.flatMap(([path, text]) => wordsOf(path, text)).map(({ text }) => text));
  /** A member that the generated file declares, of an object or a type that it has itself. */
  const isDeclared = (word: Word, path: string): boolean => {
    const here = written.get(path) ?? [];
    const isNamed = (name: string): boolean =>
      here.some(({ text, of }) => text === name && of === undefined);
    return (
      isNamed(word.text) &&
      (here.some(({ of }) => of === word.of) || (word.type !== undefined && isNamed(word.type)))
    );
  };
  return (word, path) => {
    if (!old.has(word.text) || now.has(word.text)) return undefined;
    const found = renameWord(word.text).find((other) => now.has(other.word));
    const isMember = found?.bare && word.of !== undefined && word.of !== 'this';
    const isOurs = !isMember || members.has(memberText(word)) || isDeclared(word, path);
    return isOurs ? found?.word : undefined;
  };
}

const memberText = ({ of, text }: Word): string => `${of}.${text}`;

/** The text with its words in their new spelling. Syntax errors leave it as it is. */
export function withNewWords(path: string, text: string, spelling: Spelling): string {
  let result = '';
  let at = 0;
  for (const word of wordsOf(path, text)) {
    const next = spelling(word, path);
    if (next === undefined || word.start < at) continue;
    result += text.slice(at, word.start) + next;
    at = word.start + word.text.length;
  }
  return result + text.slice(at);
}

/** In the order of the text. */
function wordsOf(path: string, text: string): Word[] {
  const parser = /\.[cm]?[jt]sx?$/.test(path) ? loadParser() : null;
  if (!parser) return [];
  const { program, comments, errors } = parser.parseSync(path, text);
  if (errors.length > 0) return [];
  const words = new Map<number, Word>();
  const add = (start: number, word: string, of?: string): void => {
    if (!words.has(start)) words.set(start, { text: word, start, ...(of !== undefined && { of }) });
  };
  const addWithin = (start: number, end: number): void => {
    for (const match of text.slice(start, end).matchAll(WITHIN_TEXT)) {
      add(start + match.index, match[0]);
    }
  };
  /** The type of each annotated name; empty where the file gives a name two types. */
  const types = new Map<string, string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (typeof value !== 'object' || value === null || !('type' in value)) return;
    const node = value as Node;
    if (node.type === 'MemberExpression' && node.property.type === 'Identifier') {
      const { object, property, computed } = node;
      if (!computed) add(property.start, property.name, text.slice(object.start, object.end));
    }
    if (node.type === 'Identifier' || node.type === 'JSXIdentifier') {
      add(node.start, node.name);
      if ('typeAnnotation' in node && node.typeAnnotation) {
        const type = typeNameOf(node);
        types.set(node.name, (types.get(node.name) ?? type) === type ? type : '');
      }
    } else if (node.type === 'Literal' && typeof node.value === 'string') {
      const content = text.slice(node.start + 1, node.end - 1);
      if (content === node.value) add(node.start + 1, content);
    } else if (node.type === 'TemplateElement' || node.type === 'JSXText') {
      addWithin(node.start, node.end);
    }
    Object.values(node).forEach(visit);
  };
  visit(program);
  for (const { start, end } of comments) addWithin(start, end);
  return [...words.values()]
    .map((word) => {
      const type = word.of === undefined ? undefined : types.get(word.of);
      return type ? { ...word, type } : word;
    })
    .sort((a, b) => a.start - b.start);
}

/** The name of the type that a parameter is annotated with; empty for any other annotation. */
function typeNameOf({ typeAnnotation }: BindingIdentifier): string {
  const type = typeAnnotation?.typeAnnotation;
  return type?.type === 'TSTypeReference' && type.typeName.type === 'Identifier'
    ? type.typeName.name
    : '';
}
