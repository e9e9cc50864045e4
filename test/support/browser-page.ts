import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

const WINDOW = { width: 1280, height: 800 };

/** Opens a context whose error messages, for example of a refused style or script, are added to `complaints`. */
export async function contextOf(
  browser: Browser,
  complaints: string[],
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: WINDOW, ...options });
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(error.error().message));
  return context;
}

/** Signs Alice in at the chat page. */
export async function signInAt(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.click('text=Alice Arden');
  await page.waitForSelector('.welcome');
}
