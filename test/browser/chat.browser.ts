import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ruleBasedModel } from '../../local/bedrock/rule-based-model.ts';
import { violations } from '../support/axe.ts';
import { contextOf, signInAt } from '../support/browser-page.ts';
import { launchChromium } from '../support/chromium.ts';
import { eventually, World } from '../support/world.ts';

const WHO = 'Who am I on GitHub?';
const SHOTS = process.env.SCREENSHOTS;

describe('the chat page, in Chromium', () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    world = await World.start({ wordDelayMs: 15 });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });
  beforeEach(async () => {
    await world.reset();
    world.stack.bedrock.model = ruleBasedModel;
    complaints.length = 0;
    context = await contextOf(browser, complaints);
    page = await context.newPage();
    await signInAt(page, world.url);
  });
  afterEach(async () => {
    await context.close();
  });

  const shot = async (name: string, of = page): Promise<void> => {
    if (SHOTS !== undefined) await of.screenshot({ path: `${SHOTS}/${name}.png` });
  };
  const accessible = async (name: string, of = page): Promise<void> => {
    await shot(name, of);
    expect(await violations(of)).toEqual([]);
  };
  const say = async (text: string, of = page): Promise<void> => {
    await of.fill('#message', text);
    await of.press('#message', 'Enter');
  };
  const lastAnswer = (of = page): Promise<string | null> => of.locator('.item.answer').last().textContent();
  const inBox = (text: string): Promise<void> =>
    eventually(async () => (await page.inputValue('#message')) === text);
  const listed = (count: number): Promise<void> =>
    eventually(async () => (await page.locator('.list > ul li').count()) === count);
  const idle = (of = page): Promise<unknown> => of.waitForSelector('.working', { state: 'detached' });
  const consent = async (of = page): Promise<Page> => {
    const opened = context.waitForEvent('page');
    await of.click('.card a.button');
    const tab = await opened;
    await tab.click('button');
    await tab.click('text=Alice Arden');
    return tab;
  };

  it('answers a first question after a consent, by itself, in the right one of two tabs', async () => {
    await accessible('welcome');
    const other = await context.newPage();
    await other.goto(world.url);
    await say(WHO, other);
    await other.waitForSelector('.card');
    await page.click('.suggestions >> text=Read my GitHub profile');
    await page.waitForSelector('.card a.button');
    await accessible('consent');
    const tab = await consent();
    await tab.click('button:text-is("Authorize")');
    await tab.waitForSelector('text=GitHub is connected');
    await page.waitForSelector('.item.answer:has-text("alice-octo")');
    expect(await other.locator('.item.answer:has-text("alice-octo")').count()).toBe(0);
    await idle();
    await accessible('answer');
    expect(complaints).toEqual([]);
  });

  it('says that a consent was denied, and offers a new link or to go on without', async () => {
    await say(WHO);
    await page.waitForSelector('.card a.button');
    const tab = await consent();
    await tab.click('button:text-is("Cancel")');
    await page.waitForSelector('text=You did not authorize access');
    await accessible('denied');
    await page.click('text=Get a new link');
    await page.waitForSelector('.card a.button');
    await page.click('text=Go on without');
    await page.waitForSelector('.item.answer:has-text("did not authorize this")');
  });

  const connected = async (): Promise<void> => {
    await say(WHO);
    await page.waitForSelector('.card a.button');
    const tab = await consent();
    await tab.click('button:text-is("Authorize")');
    await page.waitForSelector('.item.answer:has-text("alice-octo")');
    await idle();
    await tab.close();
  };

  it('shows what is to be written, and writes it once it is approved', async () => {
    await connected();
    await say('Open an issue "Lamp" in alice-octo/tram-times');
    await page.waitForSelector('.card button[aria-disabled="false"]:text-is("Approve")');
    await accessible('approval');
    expect(await page.locator('.card').textContent()).toContain('Lamp');
    await page.click('.card button:text-is("Approve")');
    await page.waitForSelector('.card a.button, .item.step:has-text("create github issue")');
  });

  it('takes nothing for an approval that comes with the card itself', async () => {
    await connected();
    await say('Open an issue "Lamp" in alice-octo/tram-times');
    await page.waitForSelector('.card button:text-is("Decline")');
    await page.evaluate(() => {
      for (const button of document.querySelectorAll<HTMLElement>('.card button')) button.click();
    });
    expect(await page.locator('.card button:text-is("Approve")').count()).toBe(1);
    await page.waitForSelector('.card button[aria-disabled="false"]:text-is("Decline")');
    await page.click('.card button:text-is("Decline")');
    await page.waitForSelector('.card', { state: 'detached' });
    await idle();
  });

  it('goes on after a reload in the middle of a consent', async () => {
    await say(WHO);
    await page.waitForSelector('.card a.button');
    const tab = await consent();
    await page.reload();
    await page.waitForSelector('.card button:text-is("Go on")');
    await accessible('reloaded');
    await tab.click('button:text-is("Authorize")');
    await page.waitForSelector('.item.answer:has-text("alice-octo")');
  });

  it('is the same in two tabs, and after a reload in the middle of an answer', async () => {
    world.stack.bedrock.model = () => ({ text: 'word '.repeat(150).trim(), toolUses: [] });
    await say('tell me');
    await page.waitForSelector('.item.answer');
    const other = await context.newPage();
    await other.goto(page.url());
    await other.waitForSelector('.item.answer');
    await page.reload();
    await page.waitForSelector('.item.answer');
    await Promise.all([idle(), idle(other)]);
    const expected = 'word '.repeat(150).trim();
    for (const each of [page, other]) expect(await lastAnswer(each)).toContain(expected);
    expect(await page.locator('.item.user').count()).toBe(1);
    await say('and now?', other);
    await eventually(async () => (await page.locator('.item.user').count()) === 2);
    await Promise.all([idle(), idle(other)]);
    expect(await page.locator('.item.answer').count()).toBe(2);
  });

  it('stops, lets messages wait, and keeps the draft', async () => {
    world.stack.bedrock.model = () => ({ text: 'word '.repeat(300).trim(), toolUses: [] });
    await say('tell me');
    await page.waitForSelector('.item.answer');
    await say('second');
    await say('third');
    await page.waitForSelector('.queue');
    await accessible('queue');
    await page.click('[aria-label="Do not send “third”"]');
    await page.click('text=Stop');
    await page.waitForSelector('.item.note');
    await page.waitForSelector('.item.user:has-text("second")');
    await page.fill('#message', 'a draft');
    await page.reload();
    await page.waitForSelector('.item.user:has-text("second")');
    await inBox('a draft');
    expect(await page.locator('.item.user').count()).toBe(2);
  });

  it('lists conversations, and deletes one after asking', async () => {
    await say('hello there');
    await page.waitForSelector('.list li a:has-text("hello there")');
    await idle();
    await page.click('text=New conversation');
    await page.waitForSelector('.welcome');
    await say('good evening');
    await page.waitForSelector('.list li a:has-text("good evening")');
    await page.fill('input[type=search]', 'there');
    await listed(1);
    await page.click('.list > ul li a');
    await page.waitForSelector('.item.user:has-text("hello there")');
    const change = '[aria-label="Rename or delete “hello there”"]';
    await page.click(change);
    await page.click('.list button:text-is("Delete")');
    await accessible('delete');
    await page.click('text=Keep');
    await page.waitForSelector(change);
    await page.click(change);
    await page.click('.list button:text-is("Delete")');
    await page.click('.list button:text-is("Delete")');
    await page.waitForSelector('.welcome');
    await page.fill('input[type=search]', '');
    await listed(1);
  });

  it('renames a conversation, for every tab and device', async () => {
    await say('hello there');
    await idle();
    await page.click('[aria-label="Rename or delete “hello there”"]');
    await page.fill('[aria-label="New title of “hello there”"]', 'Greetings');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.list li a:text-is("Greetings")');
    expect(await page.title()).toBe('Greetings · OnBehalf');
    await page.reload();
    await page.waitForSelector('.list li a:text-is("Greetings")');
    await page.waitForFunction(() => document.title === 'Greetings · OnBehalf');
  });

  it('offers to send again what broke off, and to edit what was sent', async () => {
    world.stack.bedrock.faults.plan(/./, { kind: 'answer', status: 403 });
    await say('hello there');
    await page.waitForSelector('.item.error');
    await accessible('error');
    expect(await page.locator('.item.error').textContent()).toMatch(/Request [0-9a-f-]{36}/);
    world.stack.bedrock.faults.clear();
    await page.click('text=Send again');
    await page.waitForSelector('.item.answer');
    await idle();
    expect(await page.locator('text=Send again').count()).toBe(0);
    await page.click('[aria-label="Edit “hello there” and send it again"] >> nth=0');
    await inBox('hello there');
    await page.fill('#message', '');
    await page.press('#message', 'ArrowUp');
    await inBox('hello there');
  });

  it('can be used by keys alone, and lists them', async () => {
    await page.keyboard.press('Control+/');
    await page.waitForSelector('dialog[open]');
    await accessible('keys');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    world.stack.bedrock.model = () => ({ text: 'word '.repeat(300).trim(), toolUses: [] });
    await page.focus('#message');
    await page.keyboard.type('tell me');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.item.answer');
    await page.keyboard.press('Escape');
    await page.waitForSelector('.item.note');
    await page.keyboard.press('Control+k');
    await page.waitForSelector('#search:focus');
    await page.keyboard.press('Control+Shift+o');
    await page.waitForSelector('.welcome');
  });

  it('tells assistive software whole sentences, and when the answer is complete', async () => {
    world.stack.bedrock.model = () => ({
      text: 'The tram is late today. It comes at noon! Take a book.',
      toolUses: [],
    });
    await page.evaluate(() => {
      const told: string[] = [];
      Object.assign(window, { told });
      new MutationObserver(() => {
        const text = document.querySelector('p[role=status].unseen')?.textContent ?? '';
        if (text !== '' && text !== told.at(-1)) told.push(text);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await say('when does it come?');
    await page.waitForSelector('.item.answer');
    await idle();
    const told = await page.evaluate(() => (window as unknown as { told: string[] }).told);
    expect(told.join(' ')).toContain('The answer is complete.');
    for (const each of told) expect(each).toMatch(/[.!]$/);
  });

  it('paints within a second, and loads at most 45 kB', async () => {
    const loaded: Promise<number>[] = [];
    const fresh = await context.newPage();
    fresh.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (pathname === '/' || pathname.endsWith('.js') || pathname.endsWith('.css'))
        loaded.push(response.body().then((body) => gzipSync(body).length));
    });
    await fresh.goto(world.url);
    await fresh.waitForSelector('.welcome');
    const bytes = (await Promise.all(loaded)).reduce((sum, each) => sum + each, 0);
    const painted = await fresh.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity,
    );
    process.stderr.write(`first paint after ${painted.toFixed(0)} ms, ${String(bytes)} bytes compressed\n`);
    expect(loaded).toHaveLength(5);
    expect(bytes).toBeLessThan(45_000);
    expect(painted).toBeLessThan(1_000);
  });

  it('says that the user is signed out, and keeps the draft', async () => {
    await page.fill('#message', 'a draft');
    await context.clearCookies();
    await page.press('#message', 'Enter');
    await page.waitForSelector('text=You are signed out');
    await accessible('signed-out');
  });

  it('can be used at twice the size', async () => {
    // At 200 %, a window of 1280 by 800 has room for 640 by 400.
    await page.setViewportSize({ width: 640, height: 400 });
    await say(WHO);
    await page.waitForSelector('.card a.button');
    await accessible('zoomed');
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await page.locator('.card a.button').scrollIntoViewIfNeeded();
    expect(await page.locator('.card a.button').isVisible()).toBe(true);
    expect(await page.locator('#message').isVisible()).toBe(true);
  });

  it.each([
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
    ['light', 320],
  ] as const)('is for every eye: %s, %i px', async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    world.stack.bedrock.model = () => ({
      text: '# Trams\n\nA **table**, with `code`:\n\n| line | minutes |\n|---|---:|\n| 3 | 7 |\n\n```ts\nconst wait = (line: number): string => `${line}`; // now\n```\n\n- [elsewhere](https://example.org/a)\n- <b>no HTML</b>',
      toolUses: [],
    });
    await say('Show me everything');
    await page.waitForSelector('pre');
    await idle();
    await accessible(`prose-${colorScheme}-${String(width)}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    expect(complaints).toEqual([]);
  });
});
