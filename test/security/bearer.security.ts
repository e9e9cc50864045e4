import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { TestIssuer } from '../../src/identity/testing/issuer.js';
import { Claim } from '../support/assurance.ts';
import { auditLines } from '../support/audit.ts';

describe('access tokens without a load balancer', () => {
  let issuer: TestIssuer;
  let stack: LocalStack;
  let agent: RoleProcess;
  beforeAll(async () => {
    issuer = await TestIssuer.start();
    stack = await startStack();
    agent = await startRole('agent', {
      environment: {
        ...stack.environment('agent'),
        SIGN_IN: 'bearer',
        ALB_ISSUER: issuer.issuer,
        ALB_CLIENT_ID: 'client',
        BEARER_AUDIENCE: 'api',
      },
    });
  });
  afterAll(async () => {
    await agent.stop();
    await stack.close();
    await issuer.close();
  });

  const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const member = (name: string, value: unknown): string => `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  const claims = (change: readonly string[] = []): string =>
    `{${[member('iss', issuer.issuer), member('aud', 'api'), member('client_id', 'client'), member('sub', 'x'), member('exp', now + 60), ...change].join(',')}}`;

  it('are refused with 401 and a specific reason, and never cause an internal error', async () => {
    const claim = new Claim(
      0,
      'access tokens that are hostile or belong to no user: each refused with 401 and its own reason',
      40,
    );
    const header = (typ: unknown): string =>
      JSON.stringify({ alg: 'ES256', kid: 'k', ...(typ !== undefined && { typ }) });
    const raw = (head: string, payload: string): string =>
      [encode(head), encode(payload), encode('x'.repeat(64))].join('.');
    const genuine = (payload: object, head: object = {}): Promise<string> =>
      issuer.token(payload as Readonly<Record<string, unknown>>, head as Readonly<Record<string, unknown>>);
    const cases: readonly (readonly [name: string, token: string, reason: string])[] = [
      ...(['iss', 'aud', 'sub', 'exp', 'client_id'] as const).map(
        (name) => [`${name} twice`, raw(header('JWT'), claims([member(name, 'x')])), 'token_shape'] as const,
      ),
      ...['alg', 'kid', 'typ'].map(
        (name) =>
          [
            `${name} twice`,
            raw(`{"alg":"ES256","kid":"k","typ":"JWT",${member(name, 'x')}}`, claims()),
            'token_shape',
          ] as const,
      ),
      ...[7, null, true, [], ['JWT'], {}, 'ID', 'logout+jwt', 'dpop+jwt', ''].map(
        (typ) => [`typ ${JSON.stringify(typ)}`, raw(header(typ), claims()), 'token_header'] as const,
      ),
      ['not an object', raw('[]', '[]'), 'token_shape'],
      ['no JSON', raw('x', 'y'), 'token_shape'],
      ['exp in a year', await genuine({ exp: now + 366 * 24 * 3600 }), 'token_lifetime'],
      ['exp in eight days', await genuine({ exp: now + 8 * 24 * 3600 }), 'token_lifetime'],
      ['exp as text', await genuine({ exp: '9999999999' }), 'token_expired'],
      ['exp in the past', await genuine({ exp: now - 60 }), 'token_expired'],
      ['no exp', await genuine({ exp: undefined }), 'token_expired'],
      ['no audience', await genuine({ aud: undefined }), 'token_audience'],
      ['another audience', await genuine({ aud: 'other' }), 'token_audience'],
      ['the client as audience', await genuine({ aud: 'client' }), 'token_audience'],
      ['another client', await genuine({ client_id: 'other' }), 'token_client'],
      ['no client', await genuine({ client_id: undefined }), 'token_client'],
      ['two clients', await genuine({ azp: 'other' }), 'token_client'],
      ['another issuer', await genuine({ iss: 'https://evil.example' }), 'token_issuer'],
      ['the client itself, RFC 9068', await genuine({ sub: 'client' }), 'token_no_user'],
      ['the client itself, Auth0', await genuine({ gty: 'client-credentials' }), 'token_no_user'],
      [
        'the client itself, Keycloak',
        await genuine({ preferred_username: 'service-account-client' }),
        'token_no_user',
      ],
      ['the client itself, Entra ID', await genuine({ idtyp: 'app' }), 'token_no_user'],
      ['an ID token', await genuine({ nonce: 'n' }), 'token_header'],
      ['an ID token of Cognito', await genuine({ token_use: 'id' }), 'token_header'],
      ['no subject', await genuine({ sub: undefined }), 'token_subject'],
      ['a subject that is too long', await genuine({ sub: 'x'.repeat(129) }), 'token_subject'],
      ['an unknown key', await genuine({}, { kid: 'unknown' }), 'token_unknown_key'],
      ['no algorithm', raw('{"alg":"none","kid":"k"}', claims()), 'token_header'],
      ['a symmetric algorithm', raw('{"alg":"HS256","kid":"k"}', claims()), 'token_header'],
      ['another signature', raw(header('JWT'), claims()), 'token_signature'],
      ['17,000 characters', 'x'.repeat(17_000), 'token_missing'],
    ];
    for (const [name, token, reason] of cases) {
      const before = auditLines(agent).length;
      const answer = await fetch(`${agent.url}/sessions`, { headers: { authorization: `Bearer ${token}` } });
      await answer.text();
      const challenge = reason === 'token_missing' ? 'Bearer' : 'Bearer error="invalid_token"';
      let recorded = '';
      for (let waits = 0; recorded === '' && waits < 100; waits += 1) {
        recorded = textOf(auditLines(agent).slice(before).at(-1)?.reason);
        if (recorded === '') await new Promise((resolve) => setTimeout(resolve, 10));
      }
      claim.check(
        () =>
          `${name}: ${String(answer.status)} ${recorded} ${String(answer.headers.get('www-authenticate'))}`,
        answer.status === 401 && recorded === reason && answer.headers.get('www-authenticate') === challenge,
      );
    }
    const good = await fetch(`${agent.url}/sessions`, {
      headers: { authorization: `Bearer ${await genuine({})}` },
    });
    claim.check('the genuine token is accepted', good.status === 200);
    claim.finish();
  }, 60_000);
});
