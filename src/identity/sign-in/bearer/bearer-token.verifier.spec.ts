import { generateKeyPairSync, sign } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { SignJWT } from 'jose';
import type { AppError } from '../../../common/errors/index.js';
import { recordedLog, type LoggedLine } from '../../../common/logging/testing/recorded-log.js';
import type { AlbConfig, SignInConfig } from '../../../config/index.js';
import { TestIssuer } from '../../testing/issuer.js';
import { BearerTokenVerifier } from './bearer-token.verifier.js';

type Claims = Readonly<Record<string, unknown>>;

describe('BearerTokenVerifier', () => {
  let provider: TestIssuer;
  let verifier: BearerTokenVerifier;
  let log: readonly LoggedLine[];

  const verifierFor = (issuer: string): BearerTokenVerifier =>
    new BearerTokenVerifier(
      { issuer, clientId: 'client' } as AlbConfig,
      { bearerAudience: 'api' } as SignInConfig,
    );

  beforeEach(async () => {
    log = recordedLog();
    provider = await TestIssuer.start();
    verifier = verifierFor(provider.issuer);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await provider.close();
  });

  const refusal = async (token: string): Promise<string | undefined> => {
    const error = await verifier.verify(token).then(
      () => undefined,
      (thrown: unknown) => thrown as AppError,
    );
    return error === undefined ? undefined : `${error.code} ${error.reason ?? ''}`;
  };

  const now = Math.floor(Date.now() / 1000);

  describe('reads from a request', () => {
    const tokenOf = (authorization: readonly string[]): string | undefined => {
      const headersDistinct: IncomingMessage['headersDistinct'] = { authorization: [...authorization] };
      return verifier.tokenOf({ raw: { headersDistinct } } as unknown as FastifyRequest);
    };

    it.each(['Bearer a.b-_.c9', 'bearer a.b-_.c9'])('the token of %s', (value) => {
      expect(tokenOf([value])).toBe('a.b-_.c9');
    });

    it.each<[string, readonly string[]]>([
      ['nothing', []],
      ['two headers', ['Bearer a.b.c', 'Bearer a.b.c']],
      ['another scheme', ['Basic a.b.c']],
      ['a scheme before it', ['Basic x, Bearer a.b.c']],
      ['two tokens', ['Bearer a.b.c a.b.c']],
      ['two segments', ['Bearer a.b']],
      ['four segments', ['Bearer a.b.c.d']],
      ['an empty segment', ['Bearer a..c']],
      ['padding', ['Bearer a=.b.c']],
      ['no space', ['Bearera.b.c']],
      ['space at the end', ['Bearer a.b.c ']],
    ])('nothing where there is %s', (_name, values) => {
      expect(tokenOf(values)).toBeUndefined();
    });

    it('nothing where there is no such header', () => {
      expect(verifier.tokenOf({ raw: { headersDistinct: {} } } as unknown as FastifyRequest)).toBeUndefined();
    });
  });

  it('returns subject and name of a genuine token', async () => {
    const token = await provider.token({ name: 'Alice', email: 'a@x' });
    expect(await verifier.verify(token)).toEqual({ subject: 'subject', displayName: 'Alice (a@x)' });
  });

  it.each<[string, Claims]>([
    ['several audiences', { aud: ['other', 'api'] }],
    ['the client as OpenID Connect names it', { client_id: undefined, azp: 'client' }],
    ['the client as Okta names it', { client_id: undefined, cid: 'client' }],
    ['the client as Entra ID named it', { client_id: undefined, appid: 'client' }],
    ['the client by two names', { azp: 'client' }],
    ['the type of Keycloak', { typ: 'Bearer' }],
    ['a user of Entra ID', { idtyp: 'user' }],
    ['a lifetime of seven days', { exp: now + 7 * 24 * 3600 - 60 }],
    ['a user whose name begins like the client', { preferred_username: 'service' }],
    ['no audience, as of Cognito', { aud: undefined, token_use: 'access' }],
  ])('accepts a token with %s', async (_name, payload) => {
    expect(await refusal(await provider.token(payload))).toBeUndefined();
  });

  it.each<[string, Claims]>([
    ['issuer', { iss: 'https://elsewhere.example.com' }],
    ['issuer', { iss: undefined }],
    ['audience', { aud: 'other' }],
    ['audience', { aud: ['other'] }],
    ['audience', { aud: 'api2' }],
    ['audience', { aud: 'client' }],
    ['audience', { aud: undefined }],
    ['client', { client_id: undefined }],
    ['client', { client_id: 'other' }],
    ['client', { azp: 'other' }],
    ['client', { cid: 'other' }],
    ['client', { appid: 'other' }],
    ['client', { client_id: ['client'] }],
    ['header', { token_use: 'id' }],
    ['header', { typ: 'ID' }],
    ['header', { typ: 'Logout' }],
    ['no_user', { idtyp: 'app' }],
    ['no_user', { sub: 'client' }],
    ['no_user', { gty: 'client-credentials' }],
    ['no_user', { preferred_username: 'service-account-client' }],
    ['lifetime', { exp: 4_102_444_800 }],
    ['lifetime', { exp: now + 7 * 24 * 3600 + 60 }],
    ['header', { nonce: 'n' }],
    ['header', { at_hash: 'x' }],
    ['header', { c_hash: 'x' }],
    ['header', { s_hash: 'x' }],
    ['header', { events: {} }],
    ['expired', { exp: 1 }],
    ['expired', { exp: undefined }],
    ['expired', { nbf: 4_102_444_800 }],
    ['subject', { sub: undefined }],
    ['subject', { sub: '' }],
    ['subject', { sub: 7 }],
    ['subject', { sub: 'a b' }],
    ['subject', { sub: 'a'.repeat(129) }],
  ])('refuses a token with a wrong %s: %j', async (fault, payload) => {
    expect(await refusal(await provider.token(payload))).toBe(`unauthenticated token_${fault}`);
    expect(log).toEqual([]);
  });

  it.each([undefined, 'JWT', 'at+jwt', 'AT+JWT', 'application/at+jwt'])(
    'accepts a token of the type %s',
    async (typ) => {
      expect(await refusal(await provider.token({}, { typ }))).toBeUndefined();
    },
  );

  it.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'id+jwt', ''])(
    'refuses a token of the type %s',
    async (typ) => {
      expect(await refusal(await provider.token({}, { typ }))).toBe('unauthenticated token_header');
    },
  );

  it.each(['RS256', 'PS256', 'ES384', 'EdDSA'])('accepts a token that is signed by %s', async (alg) => {
    const signer = await TestIssuer.start(alg);
    verifier = verifierFor(signer.issuer);
    expect(await refusal(await signer.token())).toBeUndefined();
    await signer.close();
  });

  it('refuses a token that another key or an unknown key has signed', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = (kid: string): Promise<string> =>
      new SignJWT({ iss: provider.issuer, aud: 'api', client_id: 'client', sub: 'subject', exp: now + 60 })
        .setProtectedHeader({ alg: 'ES256', kid })
        .sign(privateKey);
    expect(await refusal(await forged('k'))).toBe('unauthenticated token_signature');
    expect(await refusal(await forged('other'))).toBe('unauthenticated token_unknown_key');
  });

  it('refuses a token from the second at which it expires', async () => {
    const token = await provider.token({ exp: now + 60 });
    jest.useFakeTimers({
      now: (now + 60) * 1000,
      doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'setTimeout', 'performance'],
    });
    expect(await refusal(token)).toBe('unauthenticated token_expired');
    jest.useRealTimers();
  });

  it('refuses a token that was changed after it was signed', async () => {
    const [header, , signature] = (await provider.token()).split('.');
    const payload = Buffer.from(
      JSON.stringify({ iss: provider.issuer, aud: 'api', client_id: 'client', sub: 'x', exp: now + 60 }),
    );
    expect(await refusal([header, payload.toString('base64url'), signature].join('.'))).toBe(
      'unauthenticated token_signature',
    );
  });

  it.each(['none', 'HS256', 'HS512', 'A128KW'])('refuses %s, which needs no private key', async (alg) => {
    const unsigned = [
      JSON.stringify({ alg, kid: 'k' }),
      JSON.stringify({ iss: provider.issuer, aud: 'api', client_id: 'client', sub: 'x', exp: now + 60 }),
      'x',
    ]
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    expect(await refusal(unsigned)).toBe('unauthenticated token_header');
  });

  it('refuses a token that is signed by a secret', async () => {
    const secret = await new SignJWT({
      iss: provider.issuer,
      aud: 'api',
      client_id: 'client',
      sub: 'x',
      exp: now + 60,
    })
      .setProtectedHeader({ alg: 'HS256', kid: 'k' })
      .sign(new TextEncoder().encode('0123456789abcdef0123456789abcdef'));
    expect(await refusal(secret)).toBe('unauthenticated token_header');
  });

  it.each([
    ['x', 'shape'],
    ['x.y.z', 'shape'],
    ['bnVsbA.e30.e30', 'shape'],
    ['W10.e30.e30', 'shape'],
    ['e30.e30.e30', 'header'],
  ])('refuses %s', async (token, fault) => {
    expect(await refusal(token)).toBe(`unauthenticated token_${fault}`);
  });

  it.each([
    ['a member of the header', '{"alg":"ES256","alg":"ES256","kid":"k"}', '{}'],
    ['a member of the payload', '{"alg":"ES256","kid":"k"}', '{"sub":"alice","sub":"bob"}'],
    ['a member by another spelling', '{"alg":"ES256","kid":"k"}', '{"sub":"alice","s\\u0075b":"bob"}'],
  ])('refuses %s that is written twice, and fetches nothing', async (_name, header, payload) => {
    const token = [header, payload, 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
    expect(await refusal(token)).toBe('unauthenticated token_shape');
    expect(provider.fetched).toEqual([]);
  });

  it.each([7, null, true, [], {}, ['JWT']])('refuses a type that is not a string: %j', async (typ) => {
    const [, payload, signature] = (await provider.token()).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'k', typ })).toString('base64url');
    expect(await refusal([header, payload, signature].join('.'))).toBe('unauthenticated token_header');
  });

  it('refuses a signature by an RSA key that is too small', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    provider.keys = JSON.stringify({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'small', alg: 'RS256' }],
    });
    const input = [
      { alg: 'RS256', kid: 'small' },
      { iss: provider.issuer, aud: 'api', client_id: 'client', sub: 'x', exp: now + 60 },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(input), privateKey).toString('base64url');
    expect(await refusal(`${input}.${signature}`)).toBe('unauthenticated token_unfit_key');
  });

  it('refuses unknown critical members', async () => {
    const token = await provider.token({}, { typ: 'JWT' });
    const [, payload, signature] = token.split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'k', crit: ['x'], x: 1 })).toString(
      'base64url',
    );
    expect(await refusal([header, payload, signature].join('.'))).toBe('unauthenticated token_header');
  });

  it('fetches nothing for a token that is too long', async () => {
    expect(await refusal('a'.repeat(16_385))).toBe('unauthenticated token_shape');
    expect(provider.fetched).toEqual([]);
    const segment = 'a'.repeat(5_461);
    expect(await refusal([segment, segment, segment].join('.').slice(0, 16_384))).toBe(
      'unauthenticated token_shape',
    );
  });

  it("fetches the issuer's document and keys once for parallel requests", async () => {
    const tokens = await Promise.all([provider.token(), provider.token(), provider.token()]);
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    await verifier.verify(await provider.token());
    expect(provider.fetched).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('finds the document of an issuer that ends with a slash', async () => {
    verifier = verifierFor(`${provider.issuer}/`);
    provider.document = { issuer: `${provider.issuer}/` };
    expect(await refusal(await provider.token({ iss: `${provider.issuer}/` }))).toBeUndefined();
    expect(provider.fetched[0]).toBe('/.well-known/openid-configuration');
  });

  it('fetches keys for unknown key ids at most once in half a minute', async () => {
    for (let index = 0; index < 20; index += 1)
      await refusal(await provider.token({}, { kid: String(index) }));
    expect(provider.fetched.filter((path) => path === '/keys')).toHaveLength(1);
  });

  it.each<[string, (issuer: TestIssuer) => void]>([
    ['another issuer', (issuer) => (issuer.document = { issuer: 'https://elsewhere.example.com' })],
    ['no address of keys', (issuer) => (issuer.document = { jwks_uri: undefined })],
    ['an address of keys that is not a string', (issuer) => (issuer.document = { jwks_uri: 7 })],
    [
      'an address of keys over plain HTTP',
      (issuer) => (issuer.document = { jwks_uri: 'http://keys.example.com/' }),
    ],
    ['a failure', (issuer) => (issuer.status = 500)],
    ['a redirect', (issuer) => (issuer.status = 302)],
  ])(
    'reports unavailable keys when the issuer answers %s, and tries again after five seconds',
    async (_name, plant) => {
      plant(provider);
      const token = await provider.token();
      expect(await refusal(token)).toBe('sign_in_keys_unavailable discovery');
      expect(log).toMatchObject([{ level: 'warn', fields: { event: 'discovery_failed' } }]);
      [provider.status, provider.document] = [200, {}];
      expect(await refusal(token)).toBe('sign_in_keys_unavailable discovery');
      expect(provider.fetched).toHaveLength(1);
      const later = Date.now() + 4_900;
      const clock = jest.spyOn(Date, 'now').mockImplementation(() => later);
      expect(await refusal(token)).toBe('sign_in_keys_unavailable discovery');
      clock.mockImplementation(() => later + 200);
      expect(await refusal(token)).toBeUndefined();
    },
  );

  it('reports unavailable keys when their address answers something else', async () => {
    provider.keys = '<html>';
    expect(await refusal(await provider.token())).toBe('sign_in_keys_unavailable key_host');
    expect(log).toMatchObject([{ level: 'warn', fields: { event: 'key_fetch_failed' } }]);
  });

  it('calls a failing key host at most every five seconds, and logs the failure once', async () => {
    provider.keysStatus = 500;
    for (let count = 0; count < 10; count += 1)
      expect(await refusal(await provider.token())).toBe('sign_in_keys_unavailable key_host');
    expect(provider.fetched.filter((path) => path === '/keys')).toHaveLength(1);
    expect(log).toHaveLength(1);
    provider.keysStatus = 200;
    const later = Date.now() + 5_100;
    jest.spyOn(Date, 'now').mockImplementation(() => later);
    expect(await refusal(await provider.token())).toBeUndefined();
  });

  it('still uses known keys while the key host fails', async () => {
    const token = await provider.token({ exp: Math.floor(Date.now() / 1000) + 7_200 });
    expect(await refusal(token)).toBeUndefined();
    provider.keysStatus = 500;
    const later = Date.now() + 3_600_000;
    jest.spyOn(Date, 'now').mockImplementation(() => later);
    expect(await refusal(token)).toBeUndefined();
    expect(await refusal(await provider.token({}, { kid: 'other' }))).toBe(
      'sign_in_keys_unavailable key_host',
    );
    expect(await refusal(token)).toBeUndefined();
  });

  it('accepts an address of keys with a query, as Entra ID has it', async () => {
    provider.document = { jwks_uri: `${provider.issuer}/keys?appid=client` };
    expect(await refusal(await provider.token())).toBeUndefined();
  });

  it('reports unavailable keys when no host answers', async () => {
    const token = await provider.token();
    await provider.close();
    verifier = verifierFor('http://127.0.0.1:9');
    expect(await refusal(token)).toBe('sign_in_keys_unavailable discovery');
  });
});
