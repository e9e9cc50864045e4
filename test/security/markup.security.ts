import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resultPage } from '../../src/binding/pages.js';
import { Claim } from '../support/assurance.ts';
import { skeletonOf } from '../support/page-skeleton.ts';
import { inParallel } from '../support/send.ts';
import { World } from '../support/world.ts';
import { flowOf, type Situation } from './binding-situation.ts';
import { open, PLACES } from './hostile-pages.ts';
import { PAYLOADS } from './markup.ts';

describe('the pages', () => {
  let world: World;
  let situation: Situation;
  beforeAll(async () => {
    world = await World.start();
    situation = await flowOf(world, await world.signIn('alice@example.com'), 'alice-octo');
  });
  afterAll(() => world.close());

  it('row 9: have the same elements for every text, and a policy that allows no other script', async () => {
    expect(PAYLOADS.length).toBeGreaterThanOrEqual(200);
    const claim = new Claim(
      9,
      'markup in every parameter, claim and sealed field: an HTML parser finds no additional element',
      200,
    );
    for (const place of PLACES) {
      const harmless = await open(situation, await place.request('harmless', situation));
      const expected = [harmless.status, skeletonOf(harmless.text)];
      expect(harmless.text).toContain('<main>');
      await inParallel(PAYLOADS, async (payload) => {
        const { status, text, headers } = await open(situation, await place.request(payload, situation));
        const same = JSON.stringify([status, skeletonOf(text)]) === JSON.stringify(expected);
        const policy = String(headers['content-security-policy']);
        const guarded =
          policy.startsWith("default-src 'none';") &&
          !policy.includes('unsafe') &&
          headers['x-content-type-options'] === 'nosniff' &&
          headers['referrer-policy'] === 'no-referrer' &&
          headers['cache-control'] === 'no-store';
        claim.check(() => `${place.name}: ${payload}: ${String(status)}`, same && guarded);
      });
    }
    claim.finish();
  });

  it('row 9: have one script, which sends only the given data', () => {
    const claim = new Claim(
      9,
      'markup in the message from the done page to the waiting page: it stays data',
      200,
    );
    for (const payload of PAYLOADS) {
      const waiting = { sessionId: payload, interruptId: payload };
      const result = { kind: 'done', provider: payload, waiting } as const;
      const { body, contentSecurityPolicy } = resultPage(result, { sub: payload, displayName: payload });
      const scripts = [...body.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => script);
      const [script = ''] = scripts;
      const [, message = ''] =
        /^new BroadcastChannel\('onbehalf'\)\.postMessage\((\{.*\})\);$/.exec(script) ?? [];
      const hash = createHash('sha256').update(script).digest('base64');
      const holds =
        scripts.length === 1 &&
        contentSecurityPolicy.includes(`script-src 'sha256-${hash}'`) &&
        sessionIdIn(message) === payload;
      claim.check(payload, holds);
    }
    claim.finish();
  });
});

function sessionIdIn(json: string): unknown {
  try {
    return (JSON.parse(json) as { sessionId: unknown }).sessionId;
  } catch {
    return undefined;
  }
}
