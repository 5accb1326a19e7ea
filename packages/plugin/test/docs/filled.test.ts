import type { Type } from '@nestjs/common';
import { RealtimeTestApp } from '@nx-realtime/nest/testing';
import { describe, expect, it } from 'vitest';

// Found when this file is transformed: the global setup has rendered them by then.
const specs = import.meta.glob('@filled/apps/api-gateway/**/*.spec.ts');
const modules = import.meta.glob('@filled/apps/api-gateway/src/realtime/realtime.module.ts');

describe('an app whose owner has filled in what is generated', () => {
  it('does not start without what it needs', async () => {
    const [load] = Object.values(modules);
    const { RealtimeModule: module } = (await load!()) as { RealtimeModule: Type };
    await expect(RealtimeTestApp.start({ module })).rejects.toThrow("can't resolve dependencies");
  });

  for (const [path, load] of Object.entries(specs)) {
    describe(path.replace(/^.*\/api-gateway\/src\//, ''), async () => {
      await load();
    });
  }
});
