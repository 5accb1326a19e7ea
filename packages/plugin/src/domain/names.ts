import pluralize from 'pluralize';
import { RealtimeError } from './errors.js';
import type { DomainNames } from './types.js';

/** Words that pluralize does not know: singulars in s, and plurals that English has dropped. */
for (const [one, many] of Object.entries({
  canvas: 'canvases',
  basis: 'bases',
  axis: 'axes',
  bias: 'biases',
  lens: 'lenses',
  virus: 'viruses',
})) {
  pluralize.addIrregularRule(one, many);
}
for (const word of ['data', 'chaos', 'sms', 'gps', 'dns', 'cms', 'os', 'ios', 'css', 'kudos']) {
  pluralize.addUncountableRule(word);
}

/** `realtime.*` are system events, and the contract's own types begin with it. */
const RESERVED = new Set(['realtime']);

/**
 * Splits an identifier of any case into lower-case words: `HTTPServer`, `http-server` and
 * `http_server` all give `['http', 'server']`.
 */
export function words(text: string): string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

export const pascalCase = (parts: readonly string[]): string =>
  parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('');

export const camelCase = (parts: readonly string[]): string => {
  const pascal = pascalCase(parts);
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
};

export const kebabCase = (parts: readonly string[]): string => parts.join('-');

/**
 * Every spelling of a domain's name.
 *
 * @param input singular or plural, any case: `Notification`, `activity-feed`, `API`
 * @throws RealtimeError RT001 when no identifier can be made of it
 */
export function domainNames(input: string): DomainNames {
  const name = input.trim();
  if (!/^[A-Za-z][A-Za-z0-9]*(?:[-_ ][A-Za-z0-9]+)*$/.test(name)) {
    throw new RealtimeError(
      'RT001',
      `"${input}" is no name for a domain: it must begin with a letter from A to Z and hold only such letters, digits and single dashes (Notification, activity-feed).`,
    );
  }
  const parts = words(name);
  const last = parts.pop() ?? '';
  const { singular, plural } = formsOf(last);
  const one = [...parts, singular];
  const many = [...parts, plural];
  if (RESERVED.has(kebabCase(one))) {
    throw new RealtimeError(
      'RT001',
      `"${input}" is reserved: events that begin with "realtime." belong to the system. Choose another name.`,
    );
  }
  return {
    pascal: pascalCase(one),
    pascalPlural: pascalCase(many),
    camel: camelCase(one),
    camelPlural: camelCase(many),
    kebabPlural: kebabCase(many),
    constantPlural: many.join('_').toUpperCase(),
  };
}

/** Plural of one word. The rules are some hundred expressions, and a run asks for the same words again and again. */
function formsOf(word: string): Forms {
  // The singular of a lone `s` would be nothing.
  const forms = known.get(word) ?? {
    singular: pluralize.singular(word) || word,
    plural: pluralize.plural(word),
  };
  known.set(word, forms);
  return forms;
}

interface Forms {
  readonly singular: string;
  readonly plural: string;
}

const known = new Map<string, Forms>();

/** `notification.markRead` -> `NotificationMarkRead`: the name of the payload's type. */
export function eventPascal(event: string): string {
  return event
    .split('.')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
