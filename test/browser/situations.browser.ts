import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ruleBasedModel } from '../../local/bedrock/rule-based-model.ts';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import { launchChromium } from '../support/chromium.ts';
import { violations } from '../support/axe.ts';
import { World } from '../support/world.ts';

const WHO = 'Who am I on GitHub?';
const ISSUE = 'Open an issue "Lamp" in alice-octo/tram-times';
const MINUTE_MS = 60_000;

describe('what can come in between, in Chromium', () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let another: RoleProcess | undefined;

  beforeAll(async () => {
    world = await World.start({ wordDelayMs: 15 });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await another?.stop();
    await world.close();
  });
  beforeEach(async () => {
    await world.reset();
    world.stack.bedrock.model = ruleBasedModel;
    [context, page] = await signedIn();
  });
  afterEach(() => context.close());

  const signedIn = async (
    path = '',
    prepare?: (page: Page) => Promise<void>,
  ): Promise<[BrowserContext, Page]> => {
    const made = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const opened = await made.newPage();
    await prepare?.(opened);
    await opened.goto(world.url + path);
    await opened.click('text=Alice Arden');
    await opened.waitForSelector('#message');
    return [made, opened];
  };
  const say = async (text: string, of = page): Promise<void> => {
    await of.fill('#message', text);
    await of.press('#message', 'Enter');
  };
  const idle = (of = page): Promise<unknown> => of.waitForSelector('.working', { state: 'detached' });
  const openLink = async (): Promise<Page> => {
    const opened = context.waitForEvent('page');
    await page.click('.card a.button');
    const tab = await opened;
    await tab.click('button');
    return tab;
  };
  const connect = async (): Promise<void> => {
    await say(WHO);
    await page.waitForSelector('.card a.button');
    const tab = await openLink();
    await tab.click('text=Alice Arden');
    await tab.click('button:text-is("Authorize")');
    await page.waitForSelector('.item.answer:has-text("alice-octo")');
    await idle();
    await tab.close();
  };
  const approvable = (of = page): Promise<unknown> =>
    of.waitForSelector('.card button[aria-disabled="false"]:text-is("Approve")');

  it('a link expires, and a new one is given', async () => {
    await context.close();
    [context, page] = await signedIn('', (fresh) => fresh.clock.install());
    await say(WHO);
    await page.waitForSelector('.card a.button');
    await page.clock.fastForward(10 * MINUTE_MS + 1_000);
    await page.waitForSelector('text=The link has expired.');
    expect(await page.locator('.card a.button').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.clock.fastForward(1_000);
    await page.click('.card button:text-is("Get a new link")');
    await page.waitForSelector('.card a.button');
  });

  it('the user has revoked the access at GitHub, and connects as somebody else', async () => {
    await connect();
    world.stack.gitHub.grants.revokeUser('alice-octo');
    await say(WHO);
    await page.waitForSelector('.card a.button');
    expect(await page.locator('.card').textContent()).toContain('alice-octo');
    const tab = await openLink();
    await tab.click('text=Use another account');
    await tab.click('text=Bob Baker');
    await tab.click('button:text-is("Authorize")');
    await page.waitForSelector('.card >> text=This is another account');
    expect(await violations(page)).toEqual([]);
    await page.waitForSelector('.card button[aria-disabled="false"]:text-is("Go on as bob-octo")');
    await page.click('.card button:text-is("Go on as bob-octo")');
    await page.waitForSelector('.item.answer:has-text("bob-octo")');
  });

  it('a write was approved on another device: to decline it here is too late, and this one says so', async () => {
    await connect();
    await say(ISSUE);
    await approvable();
    const [device, elsewhere] = await signedIn(new URL(page.url()).search.replace(/^/, '/'));
    await approvable(elsewhere);
    await page.click('.card button:text-is("Approve")');
    await page.waitForSelector('.card a.button');
    await elsewhere.click('.card button:text-is("Decline")');
    await elsewhere.waitForSelector('text=has gone on elsewhere');
    await device.close();
  });

  it('the task dies in the middle of an answer: what was written stays, and it is said why it ends', async () => {
    world.stack.bedrock.model = () => ({ text: 'word '.repeat(400).trim(), toolUses: [] });
    await say('tell me');
    await page.waitForSelector('.item.answer');
    const { agent, sessionBinding } = world.roles;
    agent.process.kill('SIGKILL');
    another = await startRole('agent', { environment: world.stack.environment('agent') });
    world.stack.loadBalancer.register({ agent: [another.url], 'session-binding': [sessionBinding.url] });
    await page.waitForSelector('.item.error, .item.note:has-text("The server failed")', { timeout: 30_000 });
    await idle();
    expect(await page.locator('.item.answer').last().textContent()).toContain('word word');
    world.stack.bedrock.model = () => ({ text: 'Here I am again.', toolUses: [] });
    await say('go on');
    await page.waitForSelector('.item.answer:has-text("Here I am again.")');
  });

  it('keys alone lead through a consent and an approval', async () => {
    await tabTo(page, 'Read my GitHub profile');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.card a.button');
    await tabTo(page, 'Continue to GitHub');
    const opened = context.waitForEvent('page');
    await page.keyboard.press('Enter');
    const tab = await opened;
    for (const name of ['Continue to GitHub', 'Alice Arden', 'Authorize']) {
      await tab.waitForSelector(`button:has-text("${name}")`);
      await tabTo(tab, name);
      await tab.keyboard.press('Enter');
    }
    await page.waitForSelector('.item.answer:has-text("alice-octo")');
    await idle();
    await tabTo(page, '');
    await page.keyboard.type(ISSUE);
    await page.keyboard.press('Enter');
    await approvable();
    await tabTo(page, 'Decline');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.card', { state: 'detached' });
  });
});

/** Presses Tab until the link or button with these words has the focus; without words, the box for the message. */
async function tabTo(page: Page, words: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    const focused = await page.evaluate(() => document.activeElement?.textContent ?? '');
    const tag = await page.evaluate(() => document.activeElement?.tagName ?? '');
    if (words === '' ? tag === 'TEXTAREA' : /^(A|BUTTON)$/.test(tag) && focused.includes(words)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${words}`);
}
