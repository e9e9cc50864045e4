import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Download, Page } from 'playwright-core';
import { violations } from '../support/axe.ts';
import { contextOf } from '../support/browser-page.ts';
import { launchChromium } from '../support/chromium.ts';
import { connectAlice } from '../support/connected-user.ts';
import { World } from '../support/world.ts';

const SHOTS = process.env.SCREENSHOTS;

describe('the flow inspector, in Chromium', () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    world = await World.start({ inspect: true });
    browser = await launchChromium();
    await connectAlice(world, 'Who am I on GitHub?');
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });
  beforeEach(async () => {
    complaints.length = 0;
    context = await contextOf(browser, complaints, { reducedMotion: 'reduce' });
    page = await context.newPage();
    await page.goto(`${world.stack.faultBoard.url}/inspector`);
    await page.waitForSelector('.hop');
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const accessible = async (name: string): Promise<void> => {
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${name}.png` });
    expect(await violations(page)).toEqual([]);
  };
  const drawn = (): Promise<number> => page.locator('.hop').count();
  const saved = async (name: string): Promise<string> => {
    const downloading = page.waitForEvent('download');
    await page.click(`text=${name}`);
    const file: Download = await downloading;
    return readFileSync(await file.path(), 'utf8');
  };

  it('draws the flow, and opens each request and answer, by pointer and by key', async () => {
    await accessible('inspector');
    await page.click('.hop:has-text("Workload access token") .hit');
    await page.waitForSelector('#details:has-text("hidden, ")');
    await accessible('inspector-details');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#details', { state: 'hidden' });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Workload');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#details:has-text("POST /identities/")');
  });

  it('draws what happens while it is open', async () => {
    await page.selectOption('#filter', 'all');
    await page.waitForFunction(() => document.querySelectorAll('.hop').length > 20);
    const before = await drawn();
    await fetch(`${world.url}/receipts`);
    await page.waitForFunction((count) => document.querySelectorAll('.hop').length > count, before);
    await page.waitForSelector('.hop.failed');
  });

  it('replays a run step by step', async () => {
    const all = await drawn();
    await page.click('#first');
    expect(await drawn()).toBe(0);
    await page.click('[aria-label="One step on"]');
    await page.click('[aria-label="One step on"]');
    expect(await drawn()).toBe(2);
    await page.click('[aria-label="One step back"]');
    expect(await drawn()).toBe(1);
    await page.click('#play');
    await page.waitForFunction(() => document.querySelectorAll('.hop').length >= 3);
    await page.click('#play');
    await page.click('#live');
    expect(await drawn()).toBe(all);
  });

  it('is saved as a picture and as text', async () => {
    const svg = await saved('Save as SVG');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg".*<style>/s);
    expect(svg).not.toContain('undefined');
    expect(await saved('Save as Mermaid')).toMatch(
      /^sequenceDiagram\n {2}participant browser as Browser\n[\s\S]* {2}browser->>load_balancer: 1\. Message/,
    );
  });

  it.each(['A. Swapped browser', 'B. Replayed session URI', 'C. Forged token'])(
    'shows how an attack fails: %s',
    async (name) => {
      await page.click(`text=${name}`);
      await page.waitForSelector('#outcome:has-text("The attack has failed, as it must.")');
      await page.selectOption('#filter', 'work');
      await page.waitForSelector('.hop.failed');
      await accessible(`inspector-${name.slice(0, 1)}`);
    },
  );

  it.each([
    ['dark', 1280],
    ['light', 390],
  ] as const)('is for every eye: %s, %i px', async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    await accessible(`inspector-${colorScheme}-${String(width)}`);
  });
});
