import { toJSONSchema } from 'zod/mini';
import { domainFileSchema } from './domain-file.js';
import { SCALARS } from './types.js';

/** The JSON Schema of domain files, published with the package so that editors complete them. */
export function domainJsonSchema(): object {
  const schema = toJSONSchema(domainFileSchema(), {
    target: 'draft-7',
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) !== 'payload') return;
      jsonSchema.propertyNames = { pattern: '^[A-Za-z_$][A-Za-z0-9_$]*\\??$' };
      jsonSchema.additionalProperties = {
        type: 'string',
        pattern: `^(?:${SCALARS.join('|')}|enum\\([A-Za-z0-9_.-]+(?:\\|[A-Za-z0-9_.-]+)*\\))(?:\\[\\])?$`,
      };
    },
  });
  return { ...schema, title: 'A realtime domain', $id: 'NxRealtimeDomainFile' };
}
