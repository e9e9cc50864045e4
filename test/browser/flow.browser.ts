import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { World } from '../support/world.ts';

describe('in Chromium', () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  /** The browser's error messages, for example about a refused style or script. */
  const complaints: string[] = [];

  beforeAll(async () => {
    world = await World.start();
    browser = await launchChromium();
    context = await browser.newContext();
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(error.error().message));
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  /** Runs an example in Swagger UI like a person, and returns the text that the page shows. */
  const runExample = async (page: Page, label: string): Promise<string> => {
    await page.selectOption('.opblock-post .examples-select select', { label });
    const answered = page.waitForResponse((response) => response.url().endsWith('/invocations'));
    await page.click('.opblock-post button.execute');
    await (await answered).finished();
    const shown = page
      .locator('.opblock-post .live-responses-table .response-col_description .highlight-code')
      .first();
    const expected = /RUN_FINISHED|RUN_ERROR|"code"/;
    await shown.filter({ hasText: expected }).waitFor();
    return (await shown.textContent()) ?? '';
  };

  it('a user signs in, asks, connects, consents, and gets the answer', async () => {
    const page = await context.newPage();
    await page.goto(`${world.url}/docs`);
    await page.click('text=Alice Arden');
    await page.waitForURL(`${world.url}/docs`);
    await page.click('.opblock-post .opblock-summary-control');

    const paused = await runExample(page, '1. A first message');
    const connectUrl = /"connectUrl":"([^"]+)"/.exec(paused)?.[1] ?? '';
    expect(connectUrl).toContain(`${world.url}/oauth2/connect?ticket=`);
    // The page shows only the link of the event, and no text that a model could have written.
    const link = page.locator('#notice a');
    expect(await link.getAttribute('href')).toBe(connectUrl);
    expect(await link.textContent()).toBe('Read your GitHub profile (interrupt-1)');

    // A page of this origin waits, like a chat page.
    await page.evaluate(() => {
      const waiting = window as unknown as { messages: unknown[] };
      waiting.messages = [];
      new BroadcastChannel('onbehalf').onmessage = ({ data }) => waiting.messages.push(data);
    });

    const consent = await context.newPage();
    await consent.goto(connectUrl);
    expect(await consent.locator('h1').textContent()).toBe('Connect GitHub?');
    expect(await consent.locator('dl').textContent()).toContain('Read all user profile data');
    await consent.keyboard.press('Tab');
    await consent.keyboard.press('Enter');
    await consent.waitForURL(/login\/oauth\/authorize/);
    await consent.click('text=Alice Arden');
    await consent.click('button:text-is("Authorize")');
    await consent.waitForURL(/session-binding/);
    expect(await consent.locator('h1').textContent()).toBe('GitHub is connected');
    await page.waitForFunction(() => (window as unknown as { messages: unknown[] }).messages.length === 1);
    expect(await page.evaluate(() => (window as unknown as { messages: unknown[] }).messages)).toEqual([
      { type: 'authorization_complete', sessionId: 'try-it-out', interruptId: 'interrupt-1' },
    ]);
    expect(await page.locator('#notice').textContent()).toContain('Resume interrupt-1');
    await consent.close();

    const resumed = await runExample(page, '2. Resume, after you have opened connectUrl and consented');
    expect(resumed).toContain('alice-octo');
    await page.fill('.opblock-post textarea', '{"sessionId":"second","message":"Who am I on GitHub?"}');
    const answered = page.waitForResponse((response) => response.url().endsWith('/invocations'));
    await page.click('.opblock-post button.execute');
    const second = await (await answered).text();
    expect(second).toContain('"type":"success"');
    expect(second).not.toContain('connectUrl');
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
    expect(await page.locator('h1').textContent()).toBe('This link belongs to another account');
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
