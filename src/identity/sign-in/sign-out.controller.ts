import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { formTargetFor, html, renderPage, sendPage } from '../../common/http/index.js';
import { SIGN_IN_CONFIG, type SignInConfig } from '../../config/index.js';
import { CurrentUser } from './current-user.decorator.js';
import type { User } from './user.js';

/** The load balancer cuts its session cookie into shards of 4 KB, and a header has at most 16 KB. */
const SESSION_SHARDS = 8;
const OURS = /^(__Host-)?onbehalf-/;

/**
 * Ends the session at the load balancer, which keeps it only in cookies. Then it ends the session at the identity provider,
 * if `SIGN_OUT_URL` is set.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
@ApiExcludeController()
@Controller('sign-out')
export class SignOutController {
  readonly #signOutUrl: string | undefined;

  constructor(@Inject(SIGN_IN_CONFIG) { signOutUrl }: SignInConfig) {
    this.#signOutUrl = signOutUrl;
  }

  @Get()
  ask(@CurrentUser() user: User, @Res() reply: FastifyReply): void {
    const body = html`<h1>Sign out?</h1>
<p>This signs you out of the assistant in this browser. Your connected accounts stay connected.</p>
<form method="post" action="/sign-out"><button>Sign out</button></form>
<p><a href="/">Stay signed in</a></p>`;
    const formTarget = this.#signOutUrl === undefined ? "'self'" : formTargetFor(this.#signOutUrl);
    sendPage(reply, 200, renderPage({ title: 'Sign out', tone: 'neutral', body, user, formTarget }));
  }

  @Post()
  end(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    // What the pages keep in this browser is this user's.
    void reply.header('clear-site-data', '"storage"');
    void reply.header('set-cookie', [...sessionCookies(), ...ownCookies(request)]);
    if (this.#signOutUrl !== undefined) {
      void reply.redirect(this.#signOutUrl, 303);
      return;
    }
    const body = html`<h1>You are signed out</h1>
<p role="status">Your organization's sign-in may still know you in this browser. On a shared computer, sign out there as well.</p>
<p><a href="/">Sign in again</a></p>`;
    sendPage(reply, 200, renderPage({ title: 'Signed out', tone: 'good', body }));
  }
}

function sessionCookies(): string[] {
  const shards = Array.from(
    { length: SESSION_SHARDS },
    (_, index) => `AWSELBAuthSessionCookie-${String(index)}`,
  );
  return [...shards, 'AWSALBAuthNonce'].map(
    (name) => `${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=None; Secure`,
  );
}

/** The cookies of open flows in this browser, and of the last result. */
function ownCookies({ headers }: FastifyRequest): string[] {
  const names = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('=', 1)[0] ?? '');
  return names
    .filter((name) => OURS.test(name))
    .map(
      (name) =>
        `${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax${name.startsWith('__Host-') ? '; Secure' : ''}`,
    );
}
