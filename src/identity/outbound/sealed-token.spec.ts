import { describe, expect, it } from '@jest/globals';
import { EncryptJWT } from 'jose';
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

  it('refuses other algorithms', async () => {
    const token = await new EncryptJWT({ value: { text: 'a' } })
      .setProtectedHeader({ alg: 'dir', enc: 'A128CBC-HS256' })
      .setExpirationTime('1m')
      .encrypt(new Uint8Array(32));
    await expect(sealed.open(token)).rejects.toMatchObject({ code: 'flow_invalid' });
  });
});
