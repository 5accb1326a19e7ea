import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Type } from '@nestjs/common';
import { RealtimeTestApp } from '@nx-realtime/nest/testing';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';

const README = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf-8');
// Found when this file is transformed: the global setup has rendered it by then.
const modules = import.meta.glob('@host/apps/api-gateway/src/realtime/realtime.module.ts');

let module: Type;

beforeAll(async () => {
  const [load] = Object.values(modules);
  ({ RealtimeModule: module } = (await load!()) as { RealtimeModule: Type });
}, 60_000);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** What the README says, with what moves the clock then. */
const FAKES = [
  [
    "vi.useFakeTimers({ toFake: ['Date'] })",
    () => vi.useFakeTimers({ toFake: ['Date'] }),
    (time: number) => void vi.setSystemTime(time),
  ],
  [
    "jest.spyOn(Date, 'now')",
    () => vi.spyOn(Date, 'now'),
    (time: number) => void vi.mocked(Date.now).mockReturnValue(time),
  ],
] as const;

it.each(FAKES)('a client is served by the clock of %s', async (code, fake, moveTo) => {
  expect(README).toContain(`\`${code}\``);
  fake();
  const app = await RealtimeTestApp.start({ module });
  const client = await app.connect('/chats', app.token('acme', 'ann', 20));
  const say = () => client.timeout(2_000).emitWithAck('chat.say', { text: 'hi' });
  expect(await say()).toMatchObject({ ok: true });
  moveTo(Date.now() + 21_000);
  expect(await say()).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
  await app.close();
});
