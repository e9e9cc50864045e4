import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { z } from 'zod';
import { SealedToken } from './sealed-token.js';

const schema = z.strictObject({ text: z.string() });
const sealed = new SealedToken({ secret: 'x'.repeat(32), purpose: 'one', schema });
const inAMinute = (): number => Date.now() + 60_000;

describe('SealedToken', () => {
  it('opens what it has sealed, and shows nothing of it', async () => {
    const token = await sealed.seal({ text: 'SECRET' }, inAMinute());
    expect(await sealed.open(token)).toEqual({ text: 'SECRET' });
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('SECRET');
  });

  it('tells an expired token from an invalid one', async () => {
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
    ['another secret', new SealedToken({ secret: 'y'.repeat(32), purpose: 'one', schema })],
    ['another purpose', new SealedToken({ secret: 'x'.repeat(32), purpose: 'two', schema })],
  ])('is not opened by one with %s', async (_name, other) => {
    await expect(other.open(await sealed.seal({ text: 'a' }, inAMinute()))).rejects.toMatchObject({
      code: 'flow_invalid',
    });
  });

  it('refuses content of another shape', async () => {
    const loose = new SealedToken({ secret: 'x'.repeat(32), purpose: 'one', schema: z.looseObject({}) });
    const token = await loose.seal({ text: 'a', more: 1 }, inAMinute());
    await expect(sealed.open(token)).rejects.toMatchObject({ code: 'flow_invalid' });
  });

  describe('of our own key', () => {
    const key = new Uint8Array(hkdfSync('sha256', 'x'.repeat(32), 'onbehalf', 'one', 32));
    const genuine = { alg: 'dir', enc: 'A256GCM', audience: 'one', expires: true };
    const made = (change: Partial<typeof genuine>): Promise<string> => {
      const { alg, enc, audience, expires } = { ...genuine, ...change };
      const jwt = new EncryptJWT({ value: { text: 'a' } })
        .setProtectedHeader({ alg, enc })
        .setAudience(audience);
      return (expires ? jwt.setExpirationTime('1m') : jwt).encrypt(key);
    };

    it('opens what is made like its own', async () => {
      expect(await sealed.open(await made({}))).toEqual({ text: 'a' });
    });

    it.each<[string, Partial<typeof genuine>]>([
      ['another encryption', { enc: 'A128CBC-HS256' }],
      ['another way to the key', { alg: 'A256KW' }],
      ['another audience', { audience: 'two' }],
      ['no expiry', { expires: false }],
    ])('refuses %s', async (_name, change) => {
      await expect(sealed.open(await made(change))).rejects.toMatchObject({
        code: 'flow_invalid',
        reason: 'sealed_token',
      });
    });
  });

  it('takes 8192 characters, and not one more', async () => {
    const lengthOf = async (text: string): Promise<number> =>
      (await sealed.seal({ text }, inAMinute())).length;
    const room = 8_192 - (await lengthOf(''));
    const text = 'x'.repeat(Math.floor((room * 3) / 4));
    const token = await sealed.seal({ text }, inAMinute());
    expect(token).toHaveLength(8_192);
    expect(await sealed.open(token)).toEqual({ text });
    await expect(sealed.open(`${token}A`)).rejects.toMatchObject({ reason: 'sealed_token_length' });
  });

  it('says what is wrong with an expired token', async () => {
    const token = await sealed.seal({ text: 'a' }, Date.now() - 5_000);
    await expect(sealed.open(token)).rejects.toMatchObject({ reason: 'sealed_token_expired' });
  });

  it('expires when it says, to the second', async () => {
    const { payload } = await jwtDecrypt(
      await sealed.seal({ text: 'a' }, 4_102_444_800_999),
      new Uint8Array(hkdfSync('sha256', 'x'.repeat(32), 'onbehalf', 'one', 32)),
    );
    expect(payload.exp).toBe(4_102_444_800);
  });
});
