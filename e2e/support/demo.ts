import { setTimeout as delay } from 'node:timers/promises';
import { chromiumPath, openBrowser, openPage, signInToExample } from './browser';
import { createHost, installPlugin } from './host';
import { packTarballs } from './pack';
import { cleanUp } from './processes';
import { tcpPublisher, type Publisher } from './publish';
import { choosePorts, eventually, JWT_SECRET, startApiEmbedded, startWeb, urlsOf } from './stack';
import { mintToken } from './token';

const TENANT = 'acme';
const DAY = 86_400;

/**
 * A new workspace, two domains, a server, a web app, and an event each second, until a signal ends it.
 * @param once end as soon as an event has reached a headless Chromium
 * @returns the exit code; every process and folder is gone by then
 */
export async function runDemo(once: boolean): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.log('\nCleaning up');
      void cleanUp().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
    });
  }
  try {
    await demo(once);
    return 0;
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await cleanUp();
  }
}

async function demo(once: boolean): Promise<void> {
  if (once && !chromiumPath()) {
    throw new Error('--once needs Chromium. Install it (Debian: chromium) or set CHROMIUM_PATH.');
  }
  const started = Date.now();
  const ports = await choosePorts();
  const urls = urlsOf(ports);

  const tarball = await step('Pack the packages', () => packTarballs().plugin);
  const host = await step('Make an Nx workspace with a Nest and a Next.js app', () =>
    createHost('integrated', 'demo'),
  );
  await step('nx add @nx-realtime/plugin', () => installPlugin(host, tarball));
  for (const command of [
    `nx g realtime-domain Notification --example --clientEvents='markRead{notificationId}'`,
    `nx g realtime-domain Chat --example --clientEvents='typing{chatId,active:boolean}'`,
  ]) {
    await step(command, () => host.run(`npx ${command}`));
  }
  await step('Build the server and the web app', () =>
    host.run('npx nx run-many -t build', { NEXT_PUBLIC_REALTIME_URL: urls.api }),
  );
  const publisher = await step('Start the server: no broker, no Redis', async () => {
    await startApiEmbedded(host, ports);
    return eventually(() => tcpPublisher(ports.tcp));
  });
  await step('Start the web app', () => startWeb(host, ports));

  const token = mintToken(JWT_SECRET, { tenantId: TENANT, sub: 'you' }, DAY);
  const pages = ['notifications', 'chats'].map((name) => `${urls.web}/realtime-example/${name}`);
  console.log(
    [
      '',
      `  workspace  ${host.root}`,
      `  server     ${urls.api}/api`,
      ...pages.map((page) => `  page       ${page}`),
      '',
      '  To sign in, paste this token into the page:',
      `  ${token}`,
      '',
    ].join('\n'),
  );

  const stop = publishEachSecond(publisher, !once);
  try {
    if (chromiumPath()) await step('See events in Chromium', () => seeEvents(pages, token));
    console.log(`Ready after ${seconds(started)}`);
    if (!once) {
      console.log('An event is published each second. Open a page. Ctrl-C ends it all.');
      await new Promise(() => undefined);
    }
  } finally {
    stop();
    await publisher.close();
  }
}

async function seeEvents(pages: readonly string[], token: string): Promise<void> {
  const browser = await openBrowser();
  try {
    for (const url of pages) {
      const { page, problems } = await openPage(browser);
      await page.goto(url);
      await signInToExample(page, token);
      const shown = page.getByRole('listitem').first();
      await shown.waitFor({ timeout: 20_000 }).catch((error: unknown) => {
        throw new Error([String(error), ...problems].join('\n'));
      });
      if (problems.length > 0) throw new Error(problems.join('\n'));
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

/** Returns what ends it. */
function publishEachSecond(publisher: Publisher, isShown: boolean): () => void {
  const ended = new AbortController();
  void (async () => {
    for (let count = 1; !ended.signal.aborted; count += 1) {
      const domain = count % 2 === 1 ? 'notification' : 'chat';
      const message = `${domain} ${count} at ${new Date().toLocaleTimeString()}`;
      await publisher.publish(`${domain}.created`, TENANT, {
        id: String(count),
        message,
        type: 'demo',
      });
      if (isShown) process.stdout.write(`\r  published: ${message}   `);
      await delay(1_000, undefined, { signal: ended.signal });
    }
  })().catch((error: unknown) => {
    if (!ended.signal.aborted) console.error(`\nPublishing ended: ${String(error)}`);
  });
  return () => ended.abort();
}

/** Runs a step, naming it while it runs and its time when it is done. */
async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const started = Date.now();
  process.stdout.write(`${name} ... `);
  try {
    const result = await work();
    console.log(seconds(started));
    return result;
  } catch (error) {
    console.log(`failed after ${seconds(started)}`);
    throw error;
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1_000).toFixed(1)} s`;
}
