import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { z } from 'zod';
import { SealedToken } from './sealed-token.js';

const schema = z.strictObject({ text: z.string() });
const flow = { secret: 'x'.repeat(32), acceptedSecrets: [], publicUrl: 'https://a.example' };
const sealed = new SealedToken({ flow, purpose: 'one', schema });
/** An independent derivation of the key by RFC 5869, to compare with the code. */
const derived = (use: string, bytes: number): Uint8Array =>
  new Uint8Array(
    hkdfSync('sha256', flow.secret, 'onbehalf', JSON.stringify([use, 'one', flow.publicUrl]), bytes),
  );
const kid = Buffer.from(derived('id', 5)).toString('base64url');
const inAMinute = (): number => Date.now() + 60_000;

describe('SealedToken', () => {
  it('opens a value that it sealed, and does not reveal it', async () => {
    const token = await sealed.seal({ text: 'SECRET' }, inAMinute());
    expect(await sealed.open(token)).toEqual({ text: 'SECRET' });
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('SECRET');
  });

  it('distinguishes an expired token from an invalid one', async () => {
    const token = await sealed.seal({ text: 'a' }, Date.now() - 5_000);
    await expect(sealed.open(token)).rejects.toMatchObject({ code: 'flow_expired' });
  });

  it.each(['', 'a.b.c.d.e', 'x'.repeat(9_000)])('refuses %#', async (token) => {
    await expect(sealed.open(token)).rejects.toMatchObject({ code: 'flow_invalid' });
  });

  it('refuses a changed token at every position', async () => {
    const token = await sealed.seal({ text: 'a' }, inAMinute());
    const parts = token.split('.');
    for (const [index, part] of parts.entries()) {
      const changed = parts
        .with(index, part === '' ? 'AAAA' : `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`)
        .join('.');
      await expect(sealed.open(changed)).rejects.toMatchObject({ code: 'flow_invalid' });
    }
  });

  it.each([
    [
      'another secret',
      new SealedToken({ flow: { ...flow, secret: 'y'.repeat(32) }, purpose: 'one', schema }),
    ],
    ['another purpose', new SealedToken({ flow, purpose: 'two', schema })],
    [
      'another deployment',
      new SealedToken({ flow: { ...flow, publicUrl: 'https://b.example' }, purpose: 'one', schema }),
    ],
  ])('is not opened with %s', async (_name, other) => {
    await expect(other.open(await sealed.seal({ text: 'a' }, inAMinute()))).rejects.toMatchObject({
      code: 'flow_invalid',
    });
  });

  it('refuses content of another shape', async () => {
    const loose = new SealedToken({ flow, purpose: 'one', schema: z.looseObject({}) });
    const token = await loose.seal({ text: 'a', more: 1 }, inAMinute());
    await expect(sealed.open(token)).rejects.toMatchObject({ code: 'flow_invalid' });
  });

  describe('of our own key', () => {
    const key = derived('key', 32);
    const genuine = { alg: 'dir', enc: 'A256GCM', audience: 'one', expires: true };
    const made = (change: Partial<typeof genuine>): Promise<string> => {
      const { alg, enc, audience, expires } = { ...genuine, ...change };
      const jwt = new EncryptJWT({ value: { text: 'a' } })
        .setProtectedHeader({ alg, enc, kid })
        .setAudience(audience);
      return (expires ? jwt.setExpirationTime('1m') : jwt).encrypt(key);
    };

    it('opens a token that another implementation made in the same form', async () => {
      expect(await sealed.open(await made({}))).toEqual({ text: 'a' });
    });

    it.each<[string, Partial<typeof genuine>]>([
      ['another encryption', { enc: 'A128CBC-HS256' }],
      ['another key management algorithm', { alg: 'A256KW' }],
      ['another audience', { audience: 'two' }],
      ['no expiry', { expires: false }],
    ])('refuses %s', async (_name, change) => {
      await expect(sealed.open(await made(change))).rejects.toMatchObject({
        code: 'flow_invalid',
        reason: 'sealed_token',
      });
    });
  });

  describe('while secrets are replaced', () => {
    const next = 'y'.repeat(32);
    const before = new SealedToken({ flow: { ...flow, acceptedSecrets: [next] }, purpose: 'one', schema });
    const after = new SealedToken({
      flow: { ...flow, secret: next, acceptedSecrets: [flow.secret] },
      purpose: 'one',
      schema,
    });

    it.each([
      ['an old task, for a new one', before, after],
      ['a new task, for an old one', after, before],
      ['a task with only the old secret, for a new one', sealed, after],
    ] as const)('is opened when it was sealed by %s', async (_name, sealing, opening) => {
      expect(await opening.open(await sealing.seal({ text: 'a' }, inAMinute()))).toEqual({ text: 'a' });
    });

    it('is not opened after its secret was removed', async () => {
      const alone = new SealedToken({ flow: { ...flow, secret: next }, purpose: 'one', schema });
      await expect(alone.open(await sealed.seal({ text: 'a' }, inAMinute()))).rejects.toMatchObject({
        code: 'flow_invalid',
        reason: 'sealed_token_key',
      });
    });

    it('names its key by an id that does not reveal the key', async () => {
      const [header = ''] = (await sealed.seal({ text: 'a' }, inAMinute())).split('.');
      expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
        alg: 'dir',
        enc: 'A256GCM',
        kid,
      });
      expect(Buffer.from(derived('key', 32)).toString('base64url')).not.toContain(kid);
    });
  });

  it('accepts 8192 characters, and not one more', async () => {
    const lengthOf = async (text: string): Promise<number> =>
      (await sealed.seal({ text }, inAMinute())).length;
    const room = 8_192 - (await lengthOf(''));
    const text = 'x'.repeat(Math.floor((room * 3) / 4));
    const token = await sealed.seal({ text }, inAMinute());
    expect(token).toHaveLength(8_192);
    expect(await sealed.open(token)).toEqual({ text });
    await expect(sealed.open(`${token}A`)).rejects.toMatchObject({ reason: 'sealed_token_length' });
  });

  it('reports an expired token as expired', async () => {
    const token = await sealed.seal({ text: 'a' }, Date.now() - 5_000);
    await expect(sealed.open(token)).rejects.toMatchObject({ reason: 'sealed_token_expired' });
  });

  it('expires at its expiry time, to the second', async () => {
    const { payload } = await jwtDecrypt(
      await sealed.seal({ text: 'a' }, 4_102_444_800_999),
      derived('key', 32),
    );
    expect(payload.exp).toBe(4_102_444_800);
  });
});
