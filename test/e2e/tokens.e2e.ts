import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AlbSigner } from '../../local/load-balancer/signer.ts';
import { tokenOf, tokensOfEveryPadding } from '../support/tokens.ts';
import { eventually, World } from '../support/world.ts';

describe("the load balancer's tokens", () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  /** A route of each role that does not answer 401 to a user. */
  const probe = async (role: 'agent' | 'sessionBinding', headers: HeadersInit): Promise<number> => {
    const path = role === 'agent' ? '/sessions' : '/oauth2/connect';
    return (await fetch(world.roles[role].url + path, { headers })).status;
  };
  const accepted = { agent: 200, sessionBinding: 400 } as const;

  it.each(['agent', 'sessionBinding'] as const)('in all nine paddings are accepted by %s', async (role) => {
    const tokens = tokensOfEveryPadding(world.stack);
    expect([...tokens.keys()].sort()).toEqual([
      '0,0',
      '0,1',
      '0,2',
      '1,0',
      '1,1',
      '1,2',
      '2,0',
      '2,1',
      '2,2',
    ]);
    const refused: string[] = [];
    for (const [padding, token] of tokens) {
      if ((await probe(role, { 'x-amzn-oidc-data': token })) !== accepted[role]) refused.push(padding);
    }
    expect(refused).toEqual([]);
  });

  it('without issuer and expiry in the payload are accepted, because not every provider sends them', async () => {
    const token = tokenOf(world.stack, { payload: { iss: undefined, exp: undefined } });
    expect(await probe('agent', { 'x-amzn-oidc-data': token })).toBe(200);
  });

  const past = Math.floor(Date.now() / 1000) - 10;
  const hostile: readonly (readonly [string, Parameters<typeof tokenOf>[1]])[] = [
    ['expired by its header', { header: { exp: past } }],
    ['expired by its payload', { payload: { exp: past } }],
    ['without expiry', { header: { exp: undefined } }],
    ['with an expiry that is no number', { header: { exp: '9999999999' } }],
    [
      'of another load balancer',
      {
        header: {
          signer:
            'arn:aws:elasticloadbalancing:eu-central-1:999999999999:loadbalancer/app/x/50dc6c495c0c9188',
        },
      },
    ],
    ['of another client', { header: { client: 'another' } }],
    ['of another issuer in the header', { header: { iss: 'https://evil.example' } }],
    ['of another issuer in the payload', { payload: { iss: 'https://evil.example' } }],
    ['with an unknown critical extension', { header: { crit: ['x'], x: 1 } }],
    ['with a kid that is a path', { header: { kid: '../../etc/passwd' } }],
    ['with a kid that is a URL', { header: { kid: 'https://evil.example/key' } }],
    ['with an unknown kid', { header: { kid: '00000000-0000-4000-8000-000000000000' } }],
    ['without a subject', { payload: { sub: undefined } }],
    ['with an empty subject', { payload: { sub: '' } }],
    ['with a subject that is no string', { payload: { sub: ['subject'] } }],
    ['with a subject of 129 characters', { payload: { sub: 'x'.repeat(129) } }],
    ['with alg none', { header: { alg: 'none' } }],
    ['with alg HS256', { header: { alg: 'HS256' } }],
  ];

  it.each(hostile)('%s are refused by both roles', async (_name, parts) => {
    const headers = { 'x-amzn-oidc-data': tokenOf(world.stack, parts) };
    expect(await probe('agent', headers)).toBe(401);
    expect(await probe('sessionBinding', headers)).toBe(401);
  });

  it('with the signature of another key are refused', async () => {
    const forged = new AlbSigner();
    const known = { header: { kid: world.stack.loadBalancer.signer.kid } };
    expect(await probe('agent', { 'x-amzn-oidc-data': tokenOf(world.stack, known, forged) })).toBe(401);
  });

  it('that are sent twice, or as another header, are refused', async () => {
    const token = tokenOf(world.stack);
    expect(
      await probe('agent', [
        ['x-amzn-oidc-data', token],
        ['x-amzn-oidc-data', token],
      ]),
    ).toBe(401);
    expect(
      await probe('agent', { 'x-amzn-oidc-identity': 'subject', authorization: `Bearer ${token}` }),
    ).toBe(401);
  });

  it('get 503 for an unknown key while the key host is down, and are accepted for a known key', async () => {
    const known = tokenOf(world.stack);
    expect(await probe('agent', { 'x-amzn-oidc-data': known })).toBe(200);
    world.stack.loadBalancer.keyFaults.plan(/./, { kind: 'reset' });
    const unknown = tokenOf(world.stack, { header: { kid: '11111111-1111-4111-8111-111111111111' } });
    expect(await probe('agent', { 'x-amzn-oidc-data': unknown })).toBe(503);
    expect(await probe('agent', { 'x-amzn-oidc-data': known })).toBe(200);
    world.stack.loadBalancer.keyFaults.clear();
  });

  it('keep working when the load balancer changes its key', async () => {
    world.stack.loadBalancer.signer.rotate();
    // The key host has just failed, so it is not asked for a second.
    await eventually(
      async () => (await probe('agent', { 'x-amzn-oidc-data': tokenOf(world.stack) })) === 200,
    );
  });
});
