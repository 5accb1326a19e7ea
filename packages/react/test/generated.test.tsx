import { describe } from 'vitest';

// Found when this file is transformed: the global setup has rendered them by then.
const specs = import.meta.glob('@web/**/*.spec.tsx');

for (const [path, load] of Object.entries(specs)) {
  describe(path.replace(/^.*\/features\//, ''), async () => {
    await load();
  });
}
