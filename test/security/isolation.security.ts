import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Claim } from '../support/assurance.ts';
import { Random } from '../support/random.ts';
import { inParallel, send, type Sent } from '../support/send.ts';
import { tokenOf } from '../support/tokens.ts';
import { subjectOf, World } from '../support/world.ts';

const ATTEMPTS = 10_000;
const SECRET = 'the-garden-gate-opens-at-noon';
const SESSIONS = ['plans', 'Plans', 'a', 'notes-2026', '__proto__', 'x'.repeat(64)];
const JSON_TYPE = ['content-type', 'application/json'] as const;

/** Invalid ids: paths, other encodings of a text, and texts with a special meaning for a terminal or a store. */
const HOSTILE_IDS = [
  '..',
  '.',
  '../plans',
  '../../users',
  'a/../plans',
  '/plans',
  'plans/',
  'plans/working-set.json',
  'a\\..\\plans',
  '%2e%2e%2fplans',
  'a%2fb',
  'plans%00',
  'plans\u0000',
  '\u0000',
  'plans\n',
  'plans\r\n',
  ' plans',
  'plans ',
  'pl ans',
  '\u202eplans',
  'plans\u200b',
  '\u2028',
  'caf\u00e9',
  'cafe\u0301',
  'ｐlans',
  '🙂',
  'plans;x',
  'plans?x',
  'plans#x',
  'plans*',
  'plans:1',
  '$(id)',
  '`id`',
  '${x}',
  '{{x}}',
  "' OR 1=1",
  '<script>',
  'plans.json',
  '~',
  '|',
  '',
  'x'.repeat(65),
  'x'.repeat(1_000),
  'x'.repeat(10_000),
];

describe('the conversations of one user', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const as = (sub: string): readonly [string, string] => [
    'x-amzn-oidc-data',
    tokenOf(world.stack, { payload: { sub } }),
  ];
  const call = (path: string, sent: Sent): ReturnType<typeof send> => send(world.roles.agent.url, path, sent);
  /** All objects under a user's prefix, byte for byte. */
  const kept = (sub: string): string => {
    const prefix = `users/${Buffer.from(sub).toString('base64url')}/`;
    // A task writes later what its user has used; nobody else's request changes that.
    const own = world.stack.s3.store
      .all()
      .filter(({ key }) => key.startsWith(prefix) && !key.startsWith(`${prefix}usage/`));
    return JSON.stringify(own.map(({ key, etag }) => [key, etag]).sort());
  };

  it('row 7: cannot be read, written or deleted by another user', async () => {
    const alice = subjectOf('alice@example.com');
    for (const sessionId of SESSIONS) {
      const body = JSON.stringify({ sessionId, message: `Who am I on GitHub? Remember: ${SECRET}` });
      await call('/invocations', { method: 'POST', headers: [as(alice), JSON_TYPE], body });
    }
    const before = kept(alice);
    const random = new Random(7);
    const others = [
      subjectOf('bob@example.com'),
      `${alice}x`,
      alice.slice(0, -1),
      alice.toLowerCase(),
      alice.toUpperCase(),
      `${alice}/`,
      `${alice}/sessions`,
      `../${alice}`,
      `.`,
      `users/${alice}`,
      Buffer.from(alice).toString('base64url'),
    ];
    const claim = new Claim(
      7,
      'random attempts of other users with session ids: nothing read, written or deleted',
      ATTEMPTS,
    );
    const numbers = Array.from({ length: ATTEMPTS }, (_, index) => index);
    await inParallel(numbers, async () => {
      const sub = random.pick(others);
      const id = random.pick([...SESSIONS, 'unknown', random.text(8, 'abcdefgh-_')]);
      const [path, sent, allowed] = attempt(random, id);
      const { status, text } = await call(path, { ...sent, headers: [as(sub), ...(sent.headers ?? [])] });
      claim.check(
        () => `${sub} ${sent.method ?? 'GET'} ${path}: ${String(status)}`,
        allowed.includes(status) && !text.includes(SECRET),
      );
    });
    claim.check("Alice's objects are unchanged", kept(alice) === before);
    claim.finish();
  }, 120_000);

  it('row 7: have ids of a closed form', async () => {
    const claim = new Claim(7, 'ids that are paths, other encodings or too long: refused', 120);
    const bob = subjectOf('bob@example.com');
    for (const id of HOSTILE_IDS) {
      for (const method of ['GET', 'DELETE']) {
        const { status } = await call(`/sessions/${encodeURIComponent(id)}`, { method, headers: [as(bob)] });
        // An empty id or dots lead to another address, which does not exist; an address of 10,000 characters is invalid.
        const isElsewhere = status === 404 && ['', '.', '..'].includes(id);
        claim.check(
          `${method} ${JSON.stringify(id.slice(0, 30))}: ${String(status)}`,
          [400, 414].includes(status) || isElsewhere,
        );
      }
      const body = JSON.stringify({ sessionId: id, message: 'hello' });
      const { status } = await call('/invocations', { method: 'POST', headers: [as(bob), JSON_TYPE], body });
      claim.check(`POST ${JSON.stringify(id.slice(0, 30))}: ${String(status)}`, status === 400);
    }
    const megabyte = 'x'.repeat(1_048_576);
    const inBody = await call('/invocations', {
      method: 'POST',
      headers: [as(bob), JSON_TYPE],
      body: JSON.stringify({ sessionId: megabyte, message: 'hello' }),
    });
    claim.check(`1 MB in a body: ${String(inBody.status)}`, inBody.status === 413);
    const inPath = await call(`/sessions/${megabyte}`, { headers: [as(bob)] });
    claim.check(`1 MB in an address: ${String(inPath.status)}`, inPath.status === 431);
    claim.check('nothing was stored', kept(bob) === '[]' || !kept(bob).includes('..'));
    claim.finish();
  });
});

/** A request for an id, and the statuses that another user may get. */
function attempt(
  random: Random,
  id: string,
): readonly [path: string, sent: Sent, allowed: readonly number[]] {
  const post = (body: object): Sent => ({
    method: 'POST',
    headers: [JSON_TYPE],
    body: JSON.stringify({ sessionId: id, ...body }),
  });
  const resume = [{ interruptId: 'interrupt-1', status: random.pick(['resolved', 'cancelled']) }];
  switch (random.below(20)) {
    case 0:
      return ['/sessions?limit=100', {}, [200]];
    case 1:
      // The other user's own conversation with the same id.
      return ['/invocations', post({ message: 'hello' }), [200, 409, 429]];
    case 2:
    case 3:
    case 4:
      return ['/invocations', post({ resume }), [404, 409]];
    case 5:
      return [
        '/invocations',
        { ...post({}), body: JSON.stringify({ threadId: id, runId: 'r', messages: [], resume }) },
        [400, 404, 409],
      ];
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      return [`/sessions/${id}`, { method: 'DELETE' }, [204, 404, 409]];
    case 11:
      return [`/sessions/${id}?before=${String(random.below(9) + 1)}&limit=1`, {}, [200, 404]];
    default:
      return [`/sessions/${id}`, {}, [200, 404]];
  }
}
