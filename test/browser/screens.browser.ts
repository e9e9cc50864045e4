import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { playStates } from '../screens/states.ts';
import { STRUCTURE, structureOf } from '../screens/structure.ts';
import { launchChromium } from '../support/chromium.ts';

describe('the pictures of docs/images', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it('show pages that are built as they are now; else run: npm run docs:screens, and look at each', async () => {
    const structure: Record<string, string> = {};
    await playStates(browser, { width: 1280, colorScheme: 'light' }, async (name, page) => {
      structure[name] = await structureOf(page);
    });
    expect(structure).toEqual(JSON.parse(readFileSync(STRUCTURE, 'utf8')));
  }, 120_000);
});
