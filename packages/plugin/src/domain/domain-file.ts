import {
  applyEdits,
  findNodeAtLocation,
  modify,
  parse as parseJsonc,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { ParseError } from 'jsonc-parser';
import * as z from 'zod/mini';
import { RealtimeError } from './errors.js';
import { formatType } from './grammar.js';
import { hasId } from './list.js';
import { LIST_ACTIONS, ROOMS } from './types.js';
import type { Domain, Field } from './types.js';
import { parseWith } from './zod.js';

/** The shape of a `*.domain.json` file; the published JSON Schema is made from it. */
export function domainFileSchema(): DomainFileSchema {
  schema ??= makeSchema();
  return schema;
}

type DomainFileSchema = ReturnType<typeof makeSchema>;

let schema: DomainFileSchema | undefined;

// The types that it is made of are in its result.

function makeSchema() {
  const text = (description: string) => described(z.string(), description);
  const flag = (description: string) => z.optional(described(z.boolean(), description));
  const payload = described(
    z.record(z.string(), z.string()),
    'Fields: name (with "?" when optional) to type: string number integer boolean uuid datetime json enum(a|b), each with "[]" for a list.',
  );
  const audience = described(
    z.strictObject({
      to: described(z.enum(ROOMS), 'Who receives the event.'),
      field: z.optional(
        text(
          'The payload field that holds the id of the user or resource, or the key of the custom room.',
        ),
      ),
      otherwise: z.optional(
        described(
          z.literal('tenant'),
          'Where an event without that field goes; without it the event is dead-lettered.',
        ),
      ),
    }),
    'Who receives the event; by default the rooms of the domain decide.',
  );
  const list = described(
    z.enum(LIST_ACTIONS),
    'What the event does to the list in the browser: "add" an item, "update" fields of the item with its id, "remove" that item, or "none". By default the first server event with an id adds, and all others do nothing.',
  );

  return z.strictObject({
    $schema: z.optional(z.string()),
    name: text('Singular, PascalCase: "Notification".'),
    namespace: z.optional(text('Socket.IO namespace: "/notifications".')),
    rooms: z.optional(
      described(
        z.enum(ROOMS),
        'What sockets join on connecting, and the default audience of events.',
      ),
    ),
    app: z.optional(text('The Nest app that serves the domain.')),
    web: z.optional(
      described(
        z.nullable(z.string()),
        'The web app that shows it, Next.js or React on Vite; null for a server-only domain.',
      ),
    ),
    contracts: z.optional(text('The library that holds the contract.')),
    authStore: z.optional(
      text('The auth store, relative to the web app: "src/stores/auth.store.ts".'),
    ),
    requestContext: z.optional(
      text(
        "The host's own RequestContextService: a file, relative to the app (src/common/request-context.service.ts), or a package (@acme/context).",
      ),
    ),
    skipTests: flag('Emit no tests.'),
    skipMount: flag('Do not mount the provider in the web app.'),
    example: flag('Emit a page that shows it all at work.'),
    observability: flag('Emit metrics, tracing and a dashboard for the app.'),
    serverEvents: z.optional(
      described(
        z.record(
          z.string(),
          z.strictObject({ payload, audience: z.optional(audience), list: z.optional(list) }),
        ),
        'Events that the server sends to clients, by full name.',
      ),
    ),
    clientEvents: z.optional(
      described(
        z.record(z.string(), z.strictObject({ payload })),
        'Events that clients send to the server, by full name; each is acknowledged.',
      ),
    ),
  });
}

/** Without a copy of the schema, as `describe` makes one. */
function described<T extends z.ZodMiniType>(type: T, description: string): T {
  z.globalRegistry.add(type, { description });
  return type;
}

/** A domain file as it is written; {@link readDomain} makes a {@link Domain} of it. */
export type DomainFile = z.infer<DomainFileSchema>;

/**
 * Parses the text of a domain file, or of the file given by `--from`.
 *
 * @param source the file's path, for messages
 * @throws RealtimeError RT006 naming the JSON path, what was given and what is allowed
 */
export function parseDomainFile(source: string, text: string): DomainFile {
  const errors: ParseError[] = [];
  const json: unknown = parseJsonc(withoutBom(text), errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) {
    const line = text.slice(0, error.offset).split('\n').length;
    throw new RealtimeError(
      'RT006',
      `${source}: no valid JSON at line ${line}: ${printParseErrorCode(error.error)}`,
    );
  }
  const result = parseWith(domainFileSchema(), json);
  if ('issues' in result) {
    const lines = result.issues.map(
      (issue) =>
        `  ${issue.path.length > 0 ? issue.path.map(String).join(' > ') : '(top level)'}: ${issue.message}`,
    );
    throw new RealtimeError('RT006', `${source} is no valid domain file:\n${lines.join('\n')}`);
  }
  return result.data;
}

/** The domain as its file states it, every member spelled out, in one order. */
export function toDomainFile(domain: Domain, schemaPath: string): DomainFile {
  return {
    $schema: schemaPath,
    name: domain.names.pascal,
    namespace: domain.namespace,
    rooms: domain.rooms,
    app: domain.app,
    web: domain.web,
    contracts: domain.contracts,
    ...(domain.authStore === undefined ? {} : { authStore: domain.authStore }),
    ...(domain.requestContext === undefined ? {} : { requestContext: domain.requestContext }),
    ...(domain.skipTests ? { skipTests: true } : {}),
    ...(domain.skipMount ? { skipMount: true } : {}),
    ...(domain.example ? { example: true } : {}),
    ...(domain.observability ? { observability: true } : {}),
    serverEvents: Object.fromEntries(
      domain.serverEvents.map(({ name, fields, audience, list }) => [
        name,
        // Without an id it can do nothing to the list.
        { payload: toPayload(fields), audience, ...(hasId(fields) && { list }) },
      ]),
    ),
    clientEvents: Object.fromEntries(
      domain.clientEvents.map(({ name, fields }) => [name, { payload: toPayload(fields) }]),
    ),
  };
}

/**
 * The text of a domain file. An existing file keeps its formatting and comments: only the members
 * that differ are edited.
 *
 * @param renamed events whose keys are to be replaced where they stand
 */
export function writeDomainFile(
  current: string | null,
  next: DomainFile,
  renamed: readonly { readonly from: string; readonly to: string }[] = [],
): string {
  if (current === null) return `${JSON.stringify(next, null, 2)}\n`;
  let text = renamed.reduce(renameKey, withoutBom(current));
  const before = parseJsonc(text, [], { allowTrailingComma: true }) as Record<string, unknown>;
  const set = (path: string[], value: unknown): void => {
    text = applyEdits(
      text,
      modify(text, path, value, {
        formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' },
      }),
    );
  };
  for (const [key, value] of Object.entries(next)) {
    const old = before[key];
    if (same(old, value)) continue;
    if ((key === 'serverEvents' || key === 'clientEvents') && isRecord(old) && isRecord(value)) {
      for (const event of new Set([...Object.keys(old), ...Object.keys(value)])) {
        if (!same(old[event], value[event])) set([key, event], value[event]);
      }
    } else {
      set([key], value);
    }
  }
  // Only what is true is written.
  for (const [key, old] of Object.entries(before)) {
    if (old === true && !Object.hasOwn(next, key)) set([key], undefined);
  }
  return current.startsWith(BOM) ? BOM + text : text;
}

const BOM = '\uFEFF';

/** A text without the byte order mark that some editors put before it, and that no parser of JSON takes. */
export const withoutBom = (text: string): string =>
  text.startsWith(BOM) ? text.slice(BOM.length) : text;

function renameKey(text: string, { from, to }: { from: string; to: string }): string {
  const root = parseTree(text, [], { allowTrailingComma: true });
  for (const section of ['serverEvents', 'clientEvents']) {
    const key = root && findNodeAtLocation(root, [section, from])?.parent?.children?.[0];
    if (!key) continue;
    const { offset, length } = key;
    return text.slice(0, offset) + JSON.stringify(to) + text.slice(offset + length);
  }
  return text;
}

/** Fields as a domain file holds them: `{ 'userId?': 'string' }`. */
export function toPayload(fields: readonly Field[]): Record<string, string> {
  return Object.fromEntries(
    fields.map((field) => [`${field.name}${field.optional ? '?' : ''}`, formatType(field)]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal JSON, whatever the order of the members. */
function same(a: unknown, b: unknown): boolean {
  if (isRecord(a) && isRecord(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => same(a[key], b[key]));
  }
  return JSON.stringify(a) === JSON.stringify(b);
}
