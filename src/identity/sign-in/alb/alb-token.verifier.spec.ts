import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AppError } from '../../../common/errors/index.js';
import { TestAlb } from '../../testing/alb.js';
import { AlbTokenVerifier } from './alb-token.verifier.js';

describe('AlbTokenVerifier', () => {
  let alb: TestAlb;
  let verifier: AlbTokenVerifier;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    alb = await TestAlb.start();
    verifier = new AlbTokenVerifier(alb.config);
  });
  afterEach(() => alb.close());

  const refusal = async (token: string): Promise<string | undefined> => {
    const error = await verifier.verify(token).then(
      () => undefined,
      (thrown: unknown) => thrown as AppError,
    );
    return error === undefined ? undefined : `${error.code} ${error.reason ?? ''}`;
  };

  it('returns the subject and the name of a genuine token', async () => {
    const nameOf = async (payload: object): Promise<string | undefined> =>
      (await verifier.verify(alb.token({}, { ...payload }))).displayName;
    expect((await verifier.verify(alb.token())).subject).toBe('subject');
    expect(await nameOf({ name: 'Alice' })).toBe('Alice');
    expect(await nameOf({ name: 'Alice', email: 'a@x' })).toBe('Alice (a@x)');
    expect(await nameOf({ preferred_username: 'alice', email: 'a@x' })).toBe('alice');
    expect(await nameOf({ name: 7, email: ['x'] })).toBeUndefined();
  });

  it('fetches a key once', async () => {
    await Promise.all([verifier.verify(alb.token()), verifier.verify(alb.token())]);
    await verifier.verify(alb.token());
    expect(alb.fetched).toHaveLength(1);
  });

  const soon = Math.floor(Date.now() / 1000) + 600;
  it.each([
    ['shape', 'x'],
    ['shape', 'a'.repeat(20_000)],
    ['shape', () => alb.token().replace('.', '..')],
    ['shape', () => alb.signed('[1,2,3]', '{"sub":"a"}')],
    ['shape', () => alb.signed('not json', '{"sub":"a"}')],
    ['shape', () => alb.signed(JSON.stringify({ alg: 'ES256' }), '"text"')],
    ['header', () => alb.token({ alg: 'HS256' })],
    ['header', () => alb.token({ typ: 'at+jwt' })],
    ['header', () => alb.token({ crit: ['exp'] })],
    ['kid', () => alb.token({ kid: '../x' })],
    ['kid', () => alb.token({ kid: undefined })],
    ['kid', () => alb.token({ kid: ['a'] })],
    ['signer', () => alb.token({ signer: `${alb.config.arn}x` })],
    ['client', () => alb.token({ client: ['client'] })],
    ['issuer', () => alb.token({ iss: undefined })],
    ['issuer', () => alb.token({}, { iss: 'https://evil.example' })],
    ['expired', () => alb.token({ exp: 1 })],
    ['expired', () => alb.token({ exp: String(soon) })],
    ['expired', () => alb.token({ exp: null })],
    ['expired', () => alb.token({}, { exp: 1 })],
    ['subject', () => alb.token({}, { sub: undefined })],
    ['subject', () => alb.token({}, { sub: 'a b' })],
    ['subject', () => alb.token({}, { sub: 'x'.repeat(129) })],
  ] as const)('refuses a token because of its %s, and fetches nothing', async (fault, make) => {
    expect(await refusal(typeof make === 'string' ? make : make())).toBe(`unauthenticated token_${fault}`);
    expect(alb.fetched).toEqual([]);
  });

  it('refuses a changed payload because of its signature', async () => {
    const [header = '', , signature = ''] = alb.token().split('.');
    const payload = Buffer.from('{"sub":"another"}').toString('base64url');
    expect(await refusal(`${header}.${payload}.${signature}`)).toBe('unauthenticated token_signature');
  });

  it('keeps the reason why the signature was refused', async () => {
    const [header = '', payload = ''] = alb.token().split('.');
    const error: unknown = await verifier
      .verify(`${header}.${payload}.${'A'.repeat(86)}`)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'token_signature', cause: expect.any(Error) });
  });

  it('caches that a key does not exist', async () => {
    const token = alb.token({ kid: '00000000-0000-4000-8000-000000000000' });
    expect(await refusal(token)).toBe('unauthenticated token_unknown_key');
    expect(await refusal(token)).toBe('unauthenticated token_unknown_key');
    expect(alb.fetched).toHaveLength(1);
  });

  it('fetches at most 30 unknown keys in a row, and still accepts known keys', async () => {
    expect(await refusal(alb.token())).toBeUndefined();
    const unknown = Array.from({ length: 40 }, (_, n) =>
      alb.token({ kid: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` }),
    );
    const refusals = [];
    for (const token of unknown) refusals.push(await refusal(token));
    expect(alb.fetched.length).toBeLessThanOrEqual(31);
    expect(refusals.at(-1)).toBe('sign_in_throttled key_fetch_rate');
    expect(await refusal(alb.token())).toBeUndefined();
  });

  it.each(['reset', 'garbage', 500, 302] as const)(
    'reports unavailable keys when the key host answers %s',
    async (behaviour) => {
      alb.behaviour = behaviour;
      expect(await refusal(alb.token())).toBe('sign_in_keys_unavailable key_host');
      alb.behaviour = 'answer';
      const later = Date.now() + 1_000;
      const now = jest.spyOn(Date, 'now').mockReturnValue(later);
      expect(await refusal(alb.token())).toBeUndefined();
      now.mockRestore();
    },
  );
});
