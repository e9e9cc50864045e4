import { describe, expect, it } from '@jest/globals';
import type { AlbConfig } from '../../../config/index.js';
import { inspectAlbToken, type InspectedToken } from './alb-token.js';

const expected: AlbConfig = {
  arn: 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/test/50dc6c495c0c9188',
  issuer: 'https://login.example.com',
  clientId: 'client',
  publicKeysUrl: 'https://keys.example',
};
const NOW = 1_000;
const KID = '3f2b8f9e-5d1c-4b7e-9a51-0c6f2d7e8a90';
const SIGNATURE = 'A'.repeat(86);
const HEADER = {
  typ: 'JWT',
  kid: KID,
  alg: 'ES256',
  iss: expected.issuer,
  client: expected.clientId,
  signer: expected.arn,
  exp: NOW + 1,
};

type Members = Readonly<Record<string, unknown>>;

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const inspect = (header: string, payload: string, signature = SIGNATURE): InspectedToken =>
  inspectAlbToken(`${base64url(header)}.${base64url(payload)}.${signature}`, expected, NOW);
const inspectMembers = (header: Members, payload: Members): InspectedToken =>
  inspect(JSON.stringify({ ...HEADER, ...header }), JSON.stringify({ sub: 'alice', ...payload }));
const refusal = (fault: string): unknown =>
  expect.objectContaining({ code: 'unauthenticated', reason: `token_${fault}` });
/** A payload of exactly this length, in base64url. */
const payloadOf = (characters: number): string => {
  const text = JSON.stringify({ sub: 'alice', pad: '' });
  return base64url(text.replace('""', `"${'x'.repeat(Math.floor((characters * 3) / 4) - text.length)}"`));
};

describe('inspectAlbToken', () => {
  it('returns the claims of the token', () => {
    expect(inspectMembers({}, {})).toEqual({ kid: KID, subject: 'alice', displayName: undefined });
  });

  it.each<[string, Members, Members]>([
    ['the issuer in the payload as well', {}, { iss: expected.issuer }],
    ['an expiry in the payload as well', {}, { exp: NOW + 1 }],
    ['members of any kind in the payload', {}, { list: [{ a: 1 }, [2, null]], text: '"a":"b"', none: null }],
    ['objects within objects', {}, { address: { country: { code: 'x' } } }],
    ['a name of quotes and colons', {}, { ':":': '":' }],
    ['a subject of one character', {}, { sub: '!' }],
    ['a subject of 128 characters', {}, { sub: '~'.repeat(128) }],
  ])('takes %s', (_name, header, payload) => {
    expect(inspectMembers(header, payload).kid).toBe(KID);
  });

  it.each<[string, Members, Members, string]>([
    ['another algorithm', { alg: 'ES384' }, {}, 'header'],
    ['no algorithm', { alg: undefined }, {}, 'header'],
    ['another type', { typ: 'jwt' }, {}, 'header'],
    ['a header member that is not known', { jku: 'https://evil.example' }, {}, 'header'],
    ['no key id', { kid: undefined }, {}, 'kid'],
    ['a key id that is not a string', { kid: 7 }, {}, 'kid'],
    ['a key id in a list', { kid: [KID] }, {}, 'kid'],
    ['text before the key id', { kid: `x${KID}` }, {}, 'kid'],
    ['text after the key id', { kid: `${KID}/x` }, {}, 'kid'],
    ['a key id in capitals', { kid: KID.toUpperCase() }, {}, 'kid'],
    ['another load balancer', { signer: 'arn:other' }, {}, 'signer'],
    ['another client', { client: 'other' }, {}, 'client'],
    ['another issuer', { iss: 'https://evil.example' }, {}, 'issuer'],
    ['another issuer in the payload', {}, { iss: 'https://evil.example' }, 'issuer'],
    ['an issuer of null in the payload', {}, { iss: null }, 'issuer'],
    ['no expiry', { exp: undefined }, {}, 'expired'],
    ['an expiry of now', { exp: NOW }, {}, 'expired'],
    ['an expiry that is not a number', { exp: '2000' }, {}, 'expired'],
    ['a payload that has expired', {}, { exp: NOW }, 'expired'],
    ['an expiry of null in the payload', {}, { exp: null }, 'expired'],
    ['no subject', {}, { sub: undefined }, 'subject'],
    ['an empty subject', {}, { sub: '' }, 'subject'],
    ['a subject that is not a string', {}, { sub: 7 }, 'subject'],
    ['a subject in a list', {}, { sub: ['alice'] }, 'subject'],
    ['a subject that is too long', {}, { sub: 'x'.repeat(129) }, 'subject'],
    ['a space before the subject', {}, { sub: ' alice' }, 'subject'],
    ['a space after the subject', {}, { sub: 'alice ' }, 'subject'],
    ['a line end after the subject', {}, { sub: 'alice\n' }, 'subject'],
  ])('refuses %s', (_name, header, payload, fault) => {
    expect(() => inspectMembers(header, payload)).toThrow(refusal(fault));
  });

  const header = JSON.stringify(HEADER);
  it.each<[string, string, string]>([
    ['an infinite expiry', header.replace(String(HEADER.exp), '1e999'), '{"sub":"alice"}'],
    ['an infinite expiry in the payload', header, '{"sub":"alice","exp":1e999}'],
  ])('refuses %s', (_name, given, payload) => {
    expect(() => inspect(given, payload)).toThrow(refusal('expired'));
  });

  it.each<[string, string, string]>([
    ['a header that is a list', '[1,2,3]', '{"sub":"alice"}'],
    ['a header of null', 'null  ', '{"sub":"alice"}'],
    ['a header that is not JSON', 'not json', '{"sub":"alice"}'],
    ['a payload that is a list', header, '["sub"]'],
    ['a payload of null', header, 'null'],
    ['a payload that is a string', header, '"sub"'],
    ['a payload that is not JSON', header, '{sub}'],
    ['a member twice in the header', header.replace('{', '{"alg":"none",'), '{"sub":"alice"}'],
    ['a member twice in the payload', header, '{"sub":"bob","sub":"alice"}'],
    ['a member twice, with a space before its colon', header, '{"sub" : "bob","sub"\n:"alice"}'],
    ['a member twice, once escaped', header, '{"s\\u0075b":"bob","sub":"alice"}'],
    ['a member twice, in a nested object', header, '{"sub":"alice","more":[{"a":1,"a":2}]}'],
    ['a member twice beside a quote that hides it', header, '{"sub":"alice","a\\"":1,"a\\"":2}'],
  ])('refuses %s because of its shape', (_name, given, payload) => {
    expect(() => inspect(given, payload)).toThrow(refusal('shape'));
  });

  const [head, body] = [base64url(header), base64url('{"sub":"alice"}')];
  const whole = `${head}.${body}.${SIGNATURE}`;
  it.each<[string, string]>([
    ['nothing', ''],
    ['two parts', `${head}.${body}`],
    ['four parts', `${whole}.x`],
    ['text before it', ` ${whole}`],
    ['text after it', `${whole}\n`],
    ['a short signature', whole.slice(0, -1)],
    ['a long signature', `${whole}A`],
    ['a signature that is not canonical', `${whole.slice(0, -1)}B`],
    ['one character of padding after the signature', `${whole}=`],
    ['three characters of padding', `${whole}===`],
    ['a character of base64', `${head}.${body}.+${SIGNATURE.slice(1)}`],
    ['a header that is too short', `${base64url('{}')}.${body}.${SIGNATURE}`],
    ['a payload that is too short', `${head}.e.${SIGNATURE}`],
    ['a token that is too long', `${head}.${payloadOf(16_384)}.${SIGNATURE}`],
  ])('refuses %s because of its shape', (_name, token) => {
    expect(() => inspectAlbToken(token, expected, NOW)).toThrow(refusal('shape'));
  });

  it.each<[string, string]>([
    ['no padding', whole],
    ['padding', `${head}==.${body}=.${SIGNATURE}==`],
    ['each last character', `${whole.slice(0, -1)}Q`],
    ['the two characters of base64url', `${head}.${body}.-_${SIGNATURE.slice(2)}`],
  ])('takes %s', (_name, token) => {
    expect(inspectAlbToken(token, expected, NOW).subject).toBe('alice');
  });

  it('accepts a token of 16 KiB, and not one character more', () => {
    const room = 16_384 - `${head}..${SIGNATURE}`.length;
    // No base64url has a length of one more than a multiple of four: padding makes up for it.
    const [length, padding] = room % 4 === 1 ? [room - 1, '='] : [room, ''];
    const token = `${head}.${payloadOf(length)}${padding}.${SIGNATURE}`;
    expect(token).toHaveLength(16_384);
    expect(inspectAlbToken(token, expected, NOW).subject).toBe('alice');
    const longer = token.replace(`.${SIGNATURE}`, `=.${SIGNATURE}`);
    expect(() => inspectAlbToken(longer, expected, NOW)).toThrow(refusal('shape'));
  });

  it.each<[Members, string | undefined]>([
    [{ name: 'Alice' }, 'Alice'],
    [{ email: 'a@x' }, 'a@x'],
    [{ name: ' Alice ', email: ' a@x ' }, 'Alice (a@x)'],
    [{ name: 'Alice', preferred_username: 'alice', email: 'a@x' }, 'Alice (alice)'],
    [{ preferred_username: ' ', email: 'a@x' }, 'a@x'],
    [{ name: '' }, undefined],
    [{ name: 7, email: ['a@x'] }, undefined],
    [{ name: `${'n'.repeat(128)}!` }, 'n'.repeat(128)],
  ])('takes the display name from %j', (payload, displayName) => {
    expect(inspectMembers({}, payload).displayName).toBe(displayName);
  });
});
