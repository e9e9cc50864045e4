import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { skeletonOf } from '../support/page-skeleton.ts';

export const STRUCTURE = 'docs/images/structure.json';

/** Names the elements of a page, without its texts. Parts that change with the time, or by chance, are left out. */
export async function structureOf(page: Page): Promise<string> {
  const html = await page.content();
  const stable = html.replaceAll(/<svg[\s\S]*?<\/svg>/g, '<svg>').replaceAll(/ style="[^"]*"/g, '');
  return createHash('sha256').update(skeletonOf(stable)).digest('base64url').slice(0, 16);
}
