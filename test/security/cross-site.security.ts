import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Claim } from '../support/assurance.ts';
import { inParallel, send } from '../support/send.ts';
import { tokenOf } from '../support/tokens.ts';
import { connectUrlOf, subjectOf, World } from '../support/world.ts';

describe('requests from other sites', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const urlOf = (role: 'agent' | 'sessionBinding'): string => world.roles[role].url;
  const token = (): readonly [string, string] => ['x-amzn-oidc-data', tokenOf(world.stack)];

  it('row 6: only JSON from our own pages or from a client without a page has an effect', async () => {
    const types = [
      'application/json',
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'text/plain',
      'text/plain;application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'text/html',
      'text/json',
      'application/csp-report',
      'application/ld+json',
      'application/json+x',
      'application/octet-stream',
      '*/*',
      undefined,
    ];
    const isJson = (type: string | undefined): boolean => /^application\/json($|;)/i.test(type ?? '');
    const claim = new Claim(
      6,
      'POST /invocations: content types × Origin × Sec-Fetch-Site; refused requests have no effect',
      1_000,
    );
    let number = 0;
    let allowed = 0;
    const cases = matrix(types, world.url).map((each) => ({ ...each, number: (number += 1) }));
    await inParallel(
      cases,
      async ({ type, headers, crossSite, number: id }) => {
        const body = JSON.stringify({ sessionId: `door-${String(id)}`, message: 'hello' });
        const { status } = await send(urlOf('agent'), '/invocations', {
          method: 'POST',
          headers: [token(), ...headers],
          body,
        });
        const expected = crossSite ? 403 : isJson(type) ? 200 : 415;
        if (expected === 200) allowed += 1;
        claim.check(`${JSON.stringify(headers)}: ${String(status)}`, status === expected);
      },
      4,
    );
    const kept = new Set(
      world.stack.s3.store.all().flatMap(({ key }) => /\/(door-\d+)\//.exec(key)?.[1] ?? []),
    );
    claim.check(
      `${String(kept.size)} conversations, ${String(allowed)} allowed`,
      kept.size === allowed && allowed > 0,
    );
    claim.finish();
  }, 120_000);

  it('row 6: only a form of our own page starts an authorization, and only our own page deletes', async () => {
    const alice = await world.signIn('alice@example.com');
    const paused = await world.ask(alice, 'forms', 'Who am I on GitHub?');
    const ticket = new URL(connectUrlOf(paused)).searchParams.get('ticket') ?? '';
    const sub = subjectOf('alice@example.com');
    const own = ['x-amzn-oidc-data', tokenOf(world.stack, { payload: { sub } })] as const;
    const types = [
      'application/x-www-form-urlencoded',
      'APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8',
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      undefined,
    ];
    const claim = new Claim(
      6,
      'POST /oauth2/connect, PATCH and DELETE /sessions: the same combinations; refused requests set no cookie and delete nothing',
      500,
    );
    await inParallel(matrix(types, world.url), async ({ type, headers, crossSite }) => {
      const body = new URLSearchParams({ ticket }).toString();
      const answer = await send(urlOf('sessionBinding'), '/oauth2/connect', {
        method: 'POST',
        headers: [own, ...headers],
        body,
      });
      const isForm = /^application\/x-www-form-urlencoded/i.test(type ?? '');
      const expected = crossSite ? 403 : isForm ? 303 : 415;
      const leads = answer.headers.location !== undefined || answer.headers['set-cookie'] !== undefined;
      claim.check(
        `${JSON.stringify(headers)}: ${String(answer.status)}`,
        answer.status === expected && leads === (expected === 303),
      );
    });
    for (const { headers, crossSite } of matrix([undefined], world.url).filter(
      ({ crossSite: refused }) => refused,
    )) {
      for (const [method, more] of [
        ['DELETE', {}],
        ['PATCH', { body: '{"title":"x"}' }],
      ] as const) {
        const json = method === 'PATCH' ? [['content-type', 'application/json'] as const] : [];
        const { status } = await send(urlOf('agent'), '/sessions/forms', {
          method,
          headers: [own, ...json, ...headers],
          ...more,
        });
        claim.check(`${method} ${JSON.stringify(headers)}: ${String(status)}`, crossSite && status === 403);
      }
    }
    claim.check(
      'the conversation is still there',
      (await alice.request(`${world.url}/sessions/forms`)).status === 200,
    );
    claim.finish();
  });
});

interface DoorCase {
  readonly type: string | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly crossSite: boolean;
}

/** Content types × Origin × Sec-Fetch-Site, and whether these headers show a request from another site. */
function matrix(types: readonly (string | undefined)[], own: string): readonly DoorCase[] {
  const origins = [
    undefined,
    own,
    'null',
    'https://evil.example',
    `${own}.evil.example`,
    `${own}/`,
    own.replace('http:', 'https:'),
    own.replace('://', '://sub.'),
    own.replace(/:\d+$/, ''),
    own.toUpperCase(),
  ];
  const sites = [
    undefined,
    'same-origin',
    'same-site',
    'cross-site',
    'none',
    'SAME-ORIGIN',
    'same-origin, cross-site',
    '',
  ];
  return types.flatMap((type) =>
    origins.flatMap((origin) =>
      sites.map((site) => ({
        type,
        headers: [
          ...(type === undefined ? [] : [['content-type', type] as const]),
          ...(origin === undefined ? [] : [['origin', origin] as const]),
          ...(site === undefined ? [] : [['sec-fetch-site', site] as const]),
        ],
        crossSite: site === undefined ? origin !== undefined && origin !== own : site !== 'same-origin',
      })),
    ),
  );
}
