import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { Claim } from '../support/assurance.ts';
import { launchChromium } from '../support/chromium.ts';
import { World } from '../support/world.ts';
import { flowOf, type Situation } from './binding-situation.ts';
import { PLACES } from './hostile-pages.ts';
import { PAYLOADS } from './markup.ts';

const PAGES_AT_ONCE = 2;
/** The browser requests the icon by itself. */
const ICON = '/favicon.ico';

describe('the pages in a browser', () => {
  let world: World;
  let situation: Situation;
  let browser: Browser;
  beforeAll(async () => {
    world = await World.start();
    situation = await flowOf(world, await world.signIn('alice@example.com'), 'alice-octo');
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  it('row 9: run nothing, load nothing and report no error', async () => {
    const claim = new Claim(
      9,
      'markup in every claim and sealed field, in Chromium: no script runs, nothing is loaded, and no policy is violated',
      200,
    );
    const places = PLACES.filter(({ name, sealed }) => sealed || name.startsWith('the claim'));
    const cases = PAYLOADS.map((payload, index) => ({
      payload,
      place: places[index % places.length] ?? PLACES[0],
    })).values();
    const lane = async (): Promise<void> => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const seen: string[] = [];
      const { url } = world.roles.sessionBinding;
      page.on('dialog', (dialog) => {
        seen.push(`dialog ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('console', (message) => seen.push(`console ${message.text()}`));
      page.on('request', (request) => {
        if (!request.url().startsWith(`${url}/oauth2/`) && !request.url().endsWith(ICON))
          seen.push(`request ${request.url()}`);
      });
      for (const { payload, place } of cases) {
        if (place === undefined) continue;
        seen.length = 0;
        const { path, headers } = await place.request(payload, situation);
        await page.setExtraHTTPHeaders(Object.fromEntries(headers));
        await page.goto(url + path, { waitUntil: 'load' });
        const shown = await page.locator('h1').count();
        claim.check(() => `${place.name}: ${payload}: ${seen.join('; ')}`, seen.length === 0 && shown === 1);
      }
      await context.close();
    };
    await Promise.all(Array.from({ length: PAGES_AT_ONCE }, lane));
    claim.finish();
  }, 180_000);
});
