import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openBrowser } from './browser';
import type { Host } from './host';
import './life-page';
import type { Running } from './processes';
import { tcpPublisher, type Publisher } from './publish';
import { artifact } from './repo';
import { eventually, JWT_SECRET, startApiEmbedded, startWeb, urlsOf, type Ports } from './stack';
import { mintToken } from './token';

declare global {
  interface Window {
    /** Milliseconds of each task that kept the page from answering. */
    longTasks: number[];
  }
}

const BURST = 5_000;
/** Generous: the machine of the test may be busy with much else. */
const LONGEST_TASK_MS = 1_000;

/**
 * What a page goes through between opening and closing, in Chromium, against a booted stack.
 * @param host with the built apps and the page of `addLifePage`
 */
export function describeBrowserLife(hostOf: () => Host, portsOf: () => Ports): void {
  describe('in a browser, in real life', () => {
    let api: Running;
    let web: Running;
    let publisher: Publisher;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let problems: string[];
    let last = 0;

    beforeAll(async () => {
      [api, web, browser] = await Promise.all([
        startApiEmbedded(hostOf(), portsOf()),
        startWeb(hostOf(), portsOf()),
        openBrowser(),
      ]);
      publisher = await eventually(() => tcpPublisher(portsOf().tcp));
    });

    afterAll(async () => {
      await browser?.close();
      await publisher?.close();
      await Promise.all([api?.stop(), web?.stop()]);
    });

    beforeEach(async () => {
      context = await browser.newContext();
      problems = [];
      page = await openLife(context);
    });

    afterEach(async () => {
      await context.close();
      expect(problems).toEqual([]);
    });

    const token = (tenantId: string, expiresIn?: number): string =>
      mintToken(JWT_SECRET, { tenantId, sub: 'u1' }, expiresIn);

    async function openLife(where: BrowserContext, hash = ''): Promise<Page> {
      const opened = await where.newPage();
      opened.on('pageerror', (error) => problems.push(error.message));
      await opened.goto(`${urlsOf(portsOf()).web}/life${hash && `#${hash}`}`);
      await opened.waitForFunction(() => Boolean(window.life));
      return opened;
    }

    const signIn = (given: string | null, on = page): Promise<void> =>
      on.evaluate((value) => window.life.signIn(value), given);

    async function until(status: string, on = page, timeout = 20_000): Promise<void> {
      await on
        .locator('#status', { hasText: new RegExp(`^${status}`) })
        .waitFor({ timeout })
        .catch(async (error: unknown) => {
          throw new Error(`${await on.locator('#status').textContent()}: ${String(error)}`);
        });
    }

    async function connect(tenantId = 't1', on = page): Promise<void> {
      await signIn(token(tenantId), on);
      await until('connected', on);
    }

    /** Publishes one event. @returns its id */
    async function publish(tenantId = 't1'): Promise<string> {
      const id = `n${(last += 1)}`;
      const payload = { id, message: `message ${id}`, type: 'info' };
      await publisher.publish('notification.created', tenantId, payload);
      return id;
    }

    const shown = (on = page): Promise<string[]> => on.locator('li').allTextContents();
    const see = (id: string, on = page): Promise<void> =>
      on.getByText(`message ${id}`, { exact: true }).waitFor({ timeout: 10_000 });
    const gaps = (on = page): Promise<number[]> => on.evaluate(() => window.life.gaps);

    it('is connected again after a reload, once', async () => {
      const opened: string[] = [];
      page.on('websocket', (socket) => opened.push(socket.url()));
      await page.goto(`${urlsOf(portsOf()).web}/life#${token('t1')}`);
      await page.reload();
      await until('connected');
      expect(opened.filter((url) => url.includes('/socket.io/'))).toHaveLength(1);
      const id = await publish();
      await see(id);
      expect(await page.evaluate(() => window.life.received)).toEqual([id]);
      expect(await gaps()).toEqual([]);
    });

    it('refuses commands while offline, and is back as soon as it is online', async () => {
      await connect();
      expect(await page.evaluate(() => window.life.markRead())).toBe('ok');
      await context.setOffline(true);
      await until('reconnecting');
      const started = Date.now();
      expect(await page.evaluate(() => window.life.markRead())).toBe('NOT_CONNECTED');
      expect(Date.now() - started).toBeLessThan(2_000);
      await page.screenshot({ path: artifact('life-offline.png') });
      await context.setOffline(false);
      await until('connected');
      expect(await gaps()).toHaveLength(1);
      await see(await publish());
    });

    it('comes back to a server that was restarted, and tells of one gap', async () => {
      await connect();
      await publisher.close();
      await api.stop();
      await until('reconnecting');
      api = await startApiEmbedded(hostOf(), portsOf());
      publisher = await eventually(() => tcpPublisher(portsOf().tcp));
      await until('connected', page, 40_000);
      expect(await gaps()).toHaveLength(1);
      await see(await publish());
    });

    it('renews its token on the same connection', async () => {
      await page.evaluate((next) => {
        window.life.nextToken = next;
      }, token('t1'));
      await signIn(token('t1', 4));
      await until('connected');
      await page.waitForTimeout(7_000);
      expect(await page.locator('#status').textContent()).toMatch(/^connected/);
      expect(await page.evaluate(() => window.life.renewals)).toBe(1);
      expect(await gaps()).toEqual([]);
      await see(await publish());
    });

    it('says that its token has expired when there is no other, and resumes with one', async () => {
      await signIn(token('t1', 1));
      await until('connected');
      await until('refused TOKEN_EXPIRED');
      await page.screenshot({ path: artifact('life-expired.png') });
      await connect();
      expect(await gaps()).toHaveLength(1);
    });

    it('shows nothing of one tenant to the next', async () => {
      await connect('t1');
      await see(await publish('t1'));
      // Some are on the wire, and some in a batch, when the user changes.
      const sent = Promise.all(Array.from({ length: 200 }, () => publish('t1')));
      await signIn(token('t2'));
      await sent;
      expect(await shown()).toEqual([]);
      await until('connected');
      await publish('t1');
      const id = await publish('t2');
      await see(id);
      expect(await shown()).toEqual([`message ${id}`]);
      await signIn(null);
      await until('idle');
      expect(await shown()).toEqual([]);
      expect(await gaps()).toEqual([]);
    });

    it('delivers to two tabs, and signs out of both', async () => {
      const other = await openLife(context);
      await connect('t1');
      await connect('t1', other);
      const id = await publish();
      await Promise.all([see(id), see(id, other)]);
      await signIn(null, other);
      await until('idle');
      expect(await shown()).toEqual([]);
    });

    it('is connected again when the back button brings it back', async () => {
      await page.goto(`${urlsOf(portsOf()).web}/life#${token('t1')}`);
      await page.reload();
      await until('connected');
      await page.goto(`${urlsOf(portsOf()).web}/inbox`);
      await page.goBack();
      await until('connected');
      await see(await publish());
    });

    it(`stays responsive in a burst of ${BURST} events`, async () => {
      await connect();
      await page.evaluate(() => {
        window.longTasks = [];
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) window.longTasks.push(duration);
        }).observe({ type: 'longtask' });
        // One that must be seen: else there is nothing to see below.
        const end = performance.now() + 100;
        setTimeout(() => {
          while (performance.now() < end + 100);
        }, 100);
      });
      await page.waitForFunction(() => window.longTasks.splice(0).length > 0);
      const started = Date.now();
      let id = '';
      for (let sent = 0; sent < BURST; sent += 500) {
        const ids = await Promise.all(Array.from({ length: 500 }, () => publish()));
        id = ids.at(-1) ?? '';
      }
      await page.getByText(`message ${id}`, { exact: true }).waitFor({ timeout: 60_000 });
      const ms = Date.now() - started;
      const count = await page.evaluate(() => window.life.received.length);
      const tasks = await page.evaluate(() => window.longTasks);
      const sum = tasks.reduce((total, task) => total + task, 0);
      const longest = Math.max(0, ...tasks);
      console.log(
        `${count} events in ${ms} ms: ${tasks.length} long tasks, ${sum.toFixed(0)} ms in all, the longest ${longest.toFixed(0)} ms`,
      );
      await page.screenshot({ path: artifact('life-burst.png') });
      expect(count).toBe(BURST);
      expect(await shown()).toHaveLength(200);
      expect(longest).toBeLessThan(LONGEST_TASK_MS);
    });

    it('is one connection in StrictMode, and after a hot reload', async () => {
      // Next.js has both in development alone. The server allows the origin of the built app.
      await web.stop();
      web = await startDev(hostOf(), portsOf());
      const strict = await context.newPage();
      let opened = 0;
      let open = 0;
      strict.on('websocket', (socket) => {
        if (!socket.url().includes('/socket.io/')) return;
        opened += 1;
        open += 1;
        socket.on('close', () => (open -= 1));
      });
      await strict.goto(`${urlsOf(portsOf()).web}/life`, { timeout: 60_000 });
      await strict.waitForFunction(() => window.life?.mounts === 2, null, { timeout: 60_000 });
      await connect('t1', strict);
      const first = await publish();
      await see(first, strict);
      expect(await strict.evaluate(() => window.life.received)).toEqual([first]);
      expect([opened, open]).toEqual([1, 1]);

      await strict.evaluate(() => {
        window.life.mark = 'before';
      });
      const file = 'apps/web/src/lib/realtime/realtime-client.ts';
      const text = hostOf().read(file);
      try {
        // Written until it is seen: a busy machine's watcher may miss a change.
        let edits = 0;
        await eventually(async () => {
          hostOf().write(file, `${text}\nexport const EDITED = ${(edits += 1)};\n`);
          await strict.waitForFunction(() => !window.life.mark, null, { timeout: 20_000 });
        }, 120_000);
        await until('connected', strict);
        await eventually(async () => expect(open).toBe(1), 10_000);
        expect(opened).toBeGreaterThan(1);
        const second = await publish();
        await see(second, strict);
        expect(await strict.evaluate(() => window.life.received)).toEqual([second]);
      } finally {
        hostOf().write(file, text);
      }
    });
  });
}

function startDev(host: Host, ports: Ports): Promise<Running> {
  return host.start(
    'web-dev',
    `exec npx next dev apps/web --port ${ports.web}`,
    { log: /Ready in/ },
    { NEXT_PUBLIC_REALTIME_URL: urlsOf(ports).api },
  );
}
