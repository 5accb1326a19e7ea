import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser that CHROMIUM_PATH names, or an installed one. */
export function chromiumPath(): string | undefined {
  const named = process.env['CHROMIUM_PATH'];
  return named ?? PATHS.find((path) => existsSync(path));
}

/** @throws when no browser is installed */
export async function openBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (!executablePath) {
    throw new Error('No Chromium found. Install it (Debian: chromium) or set CHROMIUM_PATH.');
  }
  return chromium.launch({ executablePath, args: FLAGS, headless: true });
}

/** A page, with all that goes wrong in it: uncaught errors, console errors, failed requests. */
export async function openPage(browser: Browser): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? '';
    // A prefetch that a navigation makes needless.
    if (reason !== 'net::ERR_ABORTED') problems.push(`request: ${request.url()} ${reason}`);
  });
  return { page, problems };
}

/** Signs in to a page of `--example`, once it takes input. */
export async function signInToExample(page: Page, token: string): Promise<void> {
  // Before the page is hydrated, the browser would submit the form by itself.
  await page.waitForLoadState('networkidle', { timeout: 150_000 });
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
