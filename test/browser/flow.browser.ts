import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { violations } from '../support/axe.ts';
import { contextOf } from '../support/browser-page.ts';
import { launchChromium } from '../support/chromium.ts';
import { eventually, World } from '../support/world.ts';

const SHOTS = process.env.SCREENSHOTS;

describe('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  /** The browser's error messages, for example about a refused style or script. */
  const complaints: string[] = [];

  beforeAll(async () => {
    world = await World.start();
    browser = await launchChromium();
    context = await contextOf(browser, complaints);
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  /** Runs an example in Swagger UI like a person. */
  const runExample = async (page: Page, label: string): Promise<void> => {
    await page.selectOption('.opblock-post .examples-select select', { label });
    await page.click('.opblock-post button.execute');
  };
  /** The raw events that Swagger UI shows in the end. */
  const rawEvents = async (page: Page): Promise<string> => {
    const shown = page
      .locator('.opblock-post .live-responses-table .response-col_description .highlight-code')
      .first();
    await shown.filter({ hasText: /RUN_FINISHED|RUN_ERROR|"code"/ }).waitFor();
    return (await shown.textContent()) ?? '';
  };
  const accessible = async (page: Page, name: string): Promise<void> => {
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/docs-${name}.png` });
    expect(await violations(page)).toEqual([]);
  };

  it('a user signs in, tries the first example, consents, and the answer goes on by itself', async () => {
    const page = await context.newPage();
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${world.url}/docs`);
    await page.click('text=Alice Arden');
    const execute = page.locator('.opblock-post button.execute');
    await execute.waitFor();
    await page.waitForFunction(() => scrollY > 0 || document.body.scrollHeight <= innerHeight);
    await accessible(page, 'start');
    await eventually(async () => ((await execute.boundingBox())?.y ?? 9_999) < 760);

    await runExample(page, '1. A first message');
    const link = page.locator('#live .card a.button');
    await link.waitFor();
    const raw = await rawEvents(page);
    const connectUrl = /"connectUrl":"([^"]+)"/.exec(raw)?.[1] ?? '';
    expect(connectUrl).toContain(`${world.url}/oauth2/connect?ticket=`);
    // The page shows only the link of the event, and no text that a model could have written.
    expect(await link.getAttribute('href')).toBe(connectUrl);
    expect(await page.locator('.curl-command').textContent()).toContain('AWSELBAuthSessionCookie-0');
    await accessible(page, 'consent');

    const opened = context.waitForEvent('page');
    await link.click();
    const consent = await opened;
    expect(await consent.locator('h1').textContent()).toBe('Connect GitHub?');
    expect(await consent.locator('dl').textContent()).toContain('Read all user profile data');
    await consent.keyboard.press('Tab');
    await consent.keyboard.press('Enter');
    await consent.waitForURL(/login\/oauth\/authorize/);
    await consent.click('text=Alice Arden');
    await consent.click('button:text-is("Authorize")');
    await consent.waitForURL(/session-binding/);
    expect(await consent.locator('h1').textContent()).toBe('GitHub is connected');
    await page.waitForSelector('#live .item.answer:has-text("alice-octo")');
    await consent.close();

    // What waits is there again after a reload, with its buttons.
    await runExample(page, '5. A write: it needs your approval');
    await page.waitForSelector('#live .card button:text-is("Approve")');
    await page.reload();
    await page.waitForSelector('#live .card button[aria-disabled="false"]:text-is("Decline")');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 800 });
    await page.waitForSelector('html.dark-mode');
    // The colours change little by little.
    await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
    await accessible(page, 'approval-dark-390');
    await page.click('#live .card button:text-is("Decline")');
    await page.waitForSelector('#live .card', { state: 'detached' });
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('another user in another browser cannot use the link, and sees the reason', async () => {
    const alice = await context.newPage();
    await alice.goto(`${world.url}/docs`);
    const raw = await alice.evaluate(async () => {
      const body = JSON.stringify({ sessionId: 'stolen', message: 'List my repositories' });
      const answer = await fetch('/invocations', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return answer.text();
    });
    const connectUrl = /"connectUrl":"([^"]+)"/.exec(raw)?.[1] ?? '';
    const other = await browser.newContext();
    const page = await other.newPage();
    await page.goto(connectUrl);
    await page.click('text=Bob Baker');
    await page.waitForSelector('h1:text-is("This link belongs to another account")');
    await other.close();
    await alice.close();
  });

  it('a page of another origin cannot make the agent act', async () => {
    const page = await context.newPage();
    const evil = world.stack.gitHub.url;
    await page.goto(`${evil}/nowhere`);
    const asked = world.stack.bedrock.requests.length;
    await page.setContent(
      `<form method="post" enctype="text/plain" action="${world.url}/invocations"><input name='{"sessionId":"a","message":"who am i","x":"' value='"}'><button>x</button></form>`,
    );
    const answered = page.waitForResponse(`${world.url}/invocations`);
    await page.click('button');
    expect([401, 403]).toContain((await answered).status());
    expect(world.stack.bedrock.requests).toHaveLength(asked);
    await page.close();
  });
});
