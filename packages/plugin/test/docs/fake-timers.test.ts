import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';

const README = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf-8');
const modules = import.meta.glob('@host/apps/api-gateway/src/realtime/testing/*.ts');

interface TestApp {
  token(tenantId: string, userId: string, lifetimeInSeconds: number): string;
  connect(namespace: string, token: string): Promise<Client>;
  close(): Promise<void>;
}

interface Client {
  timeout(ms: number): { emitWithAck(event: string, payload: object): Promise<object> };
}

let RealtimeTestApp: { start(): Promise<TestApp> };

beforeAll(async () => {
  const [load] = Object.values(modules);
  ({ RealtimeTestApp } = (await load!()) as { RealtimeTestApp: typeof RealtimeTestApp });
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
  const app = await RealtimeTestApp.start();
  const client = await app.connect('/chats', app.token('acme', 'ann', 20));
  const say = () => client.timeout(2_000).emitWithAck('chat.say', { text: 'hi' });
  expect(await say()).toMatchObject({ ok: true });
  moveTo(Date.now() + 21_000);
  expect(await say()).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
  await app.close();
});
