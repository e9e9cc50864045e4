import type { Browser, BrowserContext, Page } from 'playwright-core';
import { World } from '../support/world.ts';

/** A window: how wide, and light or dark. */
export interface Window {
  readonly width: number;
  readonly colorScheme: 'light' | 'dark';
}

/** Called in each state with the page that shows it. */
export type Look = (name: string, page: Page) => Promise<void>;

const HEIGHT = 800;

/** Plays a first consent, a write, the connections, and the pages beside them, and looks at each state. */
export async function playStates(
  browser: Browser,
  { width, colorScheme }: Window,
  look: Look,
): Promise<void> {
  const world = await World.start({ inspect: true });
  try {
    const context = await browser.newContext({
      viewport: { width, height: HEIGHT },
      colorScheme,
      reducedMotion: 'reduce',
      locale: 'en-GB',
    });
    await playUser(world, context, look);
    await playBeside(world, context, look);
    await context.close();
  } finally {
    await world.close();
  }
}

async function playUser(world: World, context: BrowserContext, look: Look): Promise<void> {
  const page = await context.newPage();
  await page.goto(world.url);
  await look('sign-in', page);
  await page.click('text=Alice Arden');
  await page.waitForSelector('.suggestions button:nth-child(3)');
  await look('welcome', page);
  await page.fill('#message', 'Who am I on GitHub?');
  await look('message', page);
  await page.press('#message', 'Enter');
  await page.waitForSelector('.card a.button');
  await page.waitForSelector('.working', { state: 'detached' });
  await look('consent', page);
  const opened = context.waitForEvent('page');
  await page.click('.card a.button');
  const tab = await opened;
  await tab.waitForSelector('button');
  await look('connect', tab);
  await tab.click('button');
  await tab.waitForSelector('text=Alice Arden');
  await look('provider-sign-in', tab);
  await tab.click('text=Alice Arden');
  await tab.waitForSelector('button:text-is("Authorize")');
  await look('provider-consent', tab);
  await tab.click('button:text-is("Authorize")');
  await tab.waitForSelector('text=GitHub is connected');
  await look('connected', tab);
  await tab.close();
  await page.waitForSelector('.item.answer:has-text("alice-octo")');
  await idle(page);
  await look('answer', page);
  await page.fill('#message', 'Open an issue "The lamp is broken" in alice-octo/tram-times');
  await page.press('#message', 'Enter');
  await page.waitForSelector('.card button[aria-disabled="false"]:text-is("Approve")');
  await look('approval', page);
  await page.click('.card button:text-is("Edit")');
  await look('edit', page);
  await page.click('.card button:text-is("Decline")');
  await page.waitForSelector('.card', { state: 'detached' });
  await idle(page);
  await page.goto(`${world.url}/?view=connections`);
  await page.waitForSelector('.receipts time');
  await look('connections', page);
  await page.click('text=Disconnect');
  await page.click('button:text-is("Disconnect GitHub")');
  await page.waitForSelector('text=it refused.');
  await page.waitForSelector('.receipts >> text=You disconnected GitHub');
  await look('disconnected', page);
}

async function playBeside(world: World, context: BrowserContext, look: Look): Promise<void> {
  const page = await context.newPage();
  const link = await world.ask(await world.signIn('bob@example.com'), 'other', 'Who am I on GitHub?');
  await page.goto(link.interrupts[0]?.metadata.connectUrl ?? '');
  await look('refused', page);
  await page.goto(`${world.url}/docs`);
  await page.waitForSelector('.opblock-post button.execute');
  await look('api', page);
  await page.goto(world.stack.faultBoard.url);
  await look('faults', page);
  await page.goto(`${world.stack.faultBoard.url}/inspector`);
  await page.waitForSelector('.hop');
  await look('inspector', page);
}

function idle(page: Page): Promise<unknown> {
  return page.waitForSelector('.working', { state: 'detached' });
}
