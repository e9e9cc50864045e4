import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Model } from '../../local/bedrock/protocol.ts';
import { violations } from '../support/axe.ts';
import { contextOf, signInAt } from '../support/browser-page.ts';
import { launchChromium } from '../support/chromium.ts';
import { connectAlice } from '../support/connected-user.ts';
import { World } from '../support/world.ts';

const SHOTS = process.env.SCREENSHOTS;
const ISSUE = { owner: 'alice-octo', repo: 'tram-times', title: 'Lamp', body: 'It is dark.' };

describe('approvals and connections, in Chromium', () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    world = await World.start();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });
  beforeEach(async () => {
    await world.reset();
    world.stack.bedrock.model = opensAnIssue;
    await connectAlice(world, 'Who am I on GitHub?');
    complaints.length = 0;
    context = await contextOf(browser, complaints, { reducedMotion: 'reduce' });
    page = await context.newPage();
    await signInAt(page, world.url);
  });
  afterEach(async () => {
    await context.close();
  });

  /** Opens an issue where it is asked to, and reads the profile otherwise. */
  const opensAnIssue: Model = ({ messages }) => {
    const texts = messages.at(-1)?.content.flatMap(({ text }) => text ?? []) ?? [];
    if (texts.length === 0) return { text: 'Done.', toolUses: [] };
    const isIssue = texts.join(' ').includes('issue');
    const use = isIssue
      ? { name: 'create_github_issue', input: ISSUE }
      : { name: 'get_github_user', input: {} };
    return { text: '', toolUses: [use] };
  };
  const accessible = async (name: string): Promise<void> => {
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
    expect(await violations(page)).toEqual([]);
  };
  const say = async (text: string): Promise<void> => {
    await page.fill('#message', text);
    await page.press('#message', 'Enter');
  };
  const consent = async (): Promise<void> => {
    const opened = context.waitForEvent('page');
    await page.click('.card a.button');
    const tab = await opened;
    await tab.click('button');
    if ((await tab.locator('text=Alice Arden').count()) > 0) await tab.click('text=Alice Arden');
    await tab.click('button:text-is("Authorize")');
    await tab.waitForSelector('text=GitHub is connected');
    await tab.close();
  };
  const approval = async (name = 'Approve'): Promise<void> => {
    await page.waitForSelector(`.card button[aria-disabled="false"]:text-is("${name}")`);
  };
  /** Up to the approval of an issue. */
  const askForIssue = async (): Promise<void> => {
    await say('Open an issue');
    await approval();
  };
  /** Approves, and consents to what the write needs beside that. */
  const approve = async (name = 'Approve'): Promise<void> => {
    await page.click(`.card button:text-is("${name}")`);
    await page.waitForSelector('.card a.button');
    await consent();
    await page.waitForSelector('.item.answer:has-text("Done.")');
    await idle();
  };
  const idle = (): Promise<unknown> => page.waitForSelector('.working', { state: 'detached' });
  const showConnections = async (): Promise<void> => {
    await page.click('.list >> text=Connections');
    await page.waitForSelector('.connections .card');
  };

  it('sends what the user has written in the place of what the model wrote', async () => {
    await askForIssue();
    await page.click('.card button:text-is("Edit")');
    await page.fill('.card textarea[aria-label=title]', '');
    await page.click('.card button:text-is("Approve as changed")');
    await page.waitForSelector('.card >> text=Your change was not taken.');
    await approval('Approve as changed');
    await accessible('approval-not-taken');
    expect(await page.inputValue('.card textarea[aria-label=title]')).toBe('');
    await page.fill('.card textarea[aria-label=title]', 'The lamp by the door');
    await accessible('approval-edited');
    await approve('Approve as changed');
    const { apiBase, grants } = world.stack.gitHub;
    const token = grants.accessTokens().at(-1) ?? '';
    const issues = await fetch(`${apiBase}/repos/alice-octo/tram-times/issues`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await issues.json()).toMatchObject([{ title: 'The lamp by the door', body: ISSUE.body }]);
    expect(complaints).toEqual([]);
  });

  it('asks no more where the user has allowed it, until that is withdrawn', async () => {
    await askForIssue();
    await page.check('.card input[type=checkbox]');
    await accessible('approval-allow');
    await approve();
    await say('Open an issue again');
    await page.waitForFunction(() => document.querySelectorAll('.item.answer').length === 2);
    await idle();
    await showConnections();
    await page.waitForSelector('text=What you allow without asking');
    await page.waitForSelector('text=Allowed without asking.');
    await accessible('connections');
    await page.click('text=Withdraw');
    await page.waitForSelector('text=What you allow without asking', { state: 'detached' });
    await page.waitForSelector('text=You withdrew');
    await page.goBack();
    await askForIssue();
    expect(complaints).toEqual([]);
  });

  it('shows where it acts, disconnects with a proof, and connects again', async () => {
    await showConnections();
    await page.waitForSelector('text=Connected as alice-octo');
    await page.click('text=Disconnect');
    await accessible('disconnect-sure');
    await page.click('button:text-is("Keep it")');
    expect(world.stack.gitHub.grants.accessTokens()).toHaveLength(1);
    await page.click('text=Disconnect');
    await page.click('button:text-is("Disconnect GitHub")');
    await page.waitForSelector('text=Tried again with the old key, it refused.');
    expect(world.stack.gitHub.grants.accessTokens()).toHaveLength(0);
    await page.waitForSelector('.receipts >> text=You disconnected GitHub');
    await accessible('disconnected');
    const downloading = page.waitForEvent('download');
    await page.click('text=Download all');
    const file = await (await downloading).path();
    const { receipts } = JSON.parse(readFileSync(file, 'utf8')) as { readonly receipts: readonly object[] };
    expect(receipts).toMatchObject([
      { kind: 'revoked', outcome: 'proven' },
      { kind: 'disconnected' },
      { kind: 'connected' },
    ]);
    await page.click('button:text-is("Connect GitHub")');
    await page.waitForSelector('.card a.button');
    await consent();
    await page.waitForSelector('.item.answer:has-text("Done.")');
    await showConnections();
    await page.waitForSelector('text=Connected as alice-octo');
    expect(complaints).toEqual([]);
  });

  it('says where the provider still takes the old token', async () => {
    world.stack.gitHub.faults.plan(/^DELETE /, { kind: 'answer', status: 500 });
    await showConnections();
    await page.click('text=Disconnect');
    await page.click('button:text-is("Disconnect GitHub")');
    await page.waitForSelector('text=The provider still accepts the old key.');
    await page.waitForSelector('.receipts >> text=It still accepted the old key.');
  });

  it.each([
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
    ['light', 320],
  ] as const)('is for every eye: %s, %i px', async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    await page.goto(`${world.url}/?view=connections`);
    await page.waitForSelector('text=Connected as alice-octo');
    await page.waitForSelector('.receipts time');
    await accessible(`connections-${colorScheme}-${String(width)}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});
