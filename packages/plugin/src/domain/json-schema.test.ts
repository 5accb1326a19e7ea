import { expect, it } from 'vitest';
import { format } from 'prettier';
import { domainJsonSchema } from './json-schema.js';

it('is what the package publishes', async () => {
  const text = await format(JSON.stringify(domainJsonSchema()), {
    parser: 'json',
    printWidth: 100,
  });
  await expect(text).toMatchFileSnapshot('../../schemas/domain.schema.json');
});
