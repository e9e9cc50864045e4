import { afterEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { testApp } from '../../common/http/testing/app.js';
import { SIGN_IN_CONFIG } from '../../config/index.js';
import { SignOutController } from './sign-out.controller.js';

describe('signing out', () => {
  let app: NestFastifyApplication;
  const start = async (signOutUrl?: string): Promise<void> => {
    app = await testApp(
      {
        controllers: [SignOutController],
        providers: [{ provide: SIGN_IN_CONFIG, useValue: { signOutUrl } }],
      },
      { sub: 'alice', displayName: 'Alice' },
    );
  };
  afterEach(() => app.close());
  const cookiesOf = (headers: { 'set-cookie'?: string | string[] | undefined }): string[] =>
    [headers['set-cookie'] ?? []].flat();

  it('asks for confirmation, shows the user, and changes nothing', async () => {
    await start();
    const { statusCode, body, headers } = await app.inject('/sign-out');
    expect(statusCode).toBe(200);
    expect(body).toContain('<form method="post" action="/sign-out">');
    expect(body).toContain('Signed in as Alice');
    expect(headers['content-security-policy']).toContain("form-action 'self';");
    expect(cookiesOf(headers)).toEqual([]);
  });

  it("expires every shard of the load balancer's cookie, and our own cookies", async () => {
    await start();
    const cookie = 'AWSELBAuthSessionCookie-0=x; __Host-onbehalf-flow-a=b; onbehalf-result=c; other=d';
    const { statusCode, body, headers } = await app.inject({
      method: 'POST',
      url: '/sign-out',
      headers: { cookie },
    });
    const set = cookiesOf(headers);
    expect(set.filter((each) => each.startsWith('AWSELBAuthSessionCookie-'))).toEqual(
      Array.from(
        { length: 8 },
        (_, index) =>
          `AWSELBAuthSessionCookie-${String(index)}=; Path=/; Max-Age=0; HttpOnly; SameSite=None; Secure`,
      ),
    );
    expect(set.slice(8)).toEqual([
      'AWSALBAuthNonce=; Path=/; Max-Age=0; HttpOnly; SameSite=None; Secure',
      '__Host-onbehalf-flow-a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure',
      'onbehalf-result=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax',
    ]);
    expect(headers['clear-site-data']).toBe('"storage"');
    expect(statusCode).toBe(200);
    expect(body).toContain('You are signed out');
    expect(body).not.toContain('Signed in as');
  });

  it("redirects only to the identity provider's sign-out address", async () => {
    await start('https://login.example/logout?client_id=x');
    const { headers } = await app.inject('/sign-out');
    expect(headers['content-security-policy']).toContain("form-action 'self' https:;");
    const answer = await app.inject({ method: 'POST', url: '/sign-out?next=https://evil.example' });
    expect(answer.statusCode).toBe(303);
    expect(answer.headers['clear-site-data']).toBe('"storage"');
    expect(answer.headers.location).toBe('https://login.example/logout?client_id=x');
    expect(cookiesOf(answer.headers)).toHaveLength(9);
  });
});
