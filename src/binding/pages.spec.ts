import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { User } from '../identity/sign-in/index.js';
import { TICKET as ticket } from '../identity/testing/flow.js';
import { connectPage, resultPage } from './pages.js';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\`</title></script>`;
const alice: User = { sub: 'alice', displayName: 'Alice (a@x)' };
const nameless: User = { sub: 'alice' };
const waiting = { sessionId: 'one', interruptId: 'interrupt-1' };
const done = { kind: 'done', provider: 'GitHub', waiting } as const;

describe('the pages', () => {
  it('escape every value', () => {
    const hostileUser: User = { sub: HOSTILE, displayName: HOSTILE };
    const display = {
      provider: HOSTILE,
      account: HOSTILE,
      scopes: [{ allows: HOSTILE, why: HOSTILE }],
      tool: HOSTILE,
    };
    const about = {
      provider: HOSTILE,
      account: HOSTILE,
      waiting: { sessionId: HOSTILE, interruptId: HOSTILE },
    };
    const pages = [
      connectPage({ ...ticket, display }, HOSTILE, hostileUser),
      ...(['done', 'already_done', 'denied', 'in_progress'] as const).map((kind) =>
        resultPage({ kind, ...about }, hostileUser),
      ),
    ];
    for (const { body } of pages) {
      expect(body).not.toContain('<script>alert');
      expect(body).not.toContain('<img');
      expect(body.match(/<\/script>/g)?.length ?? 0).toBeLessThanOrEqual(1);
    }
  });

  it('allow only their own style and script', () => {
    const { body, contentSecurityPolicy } = resultPage(done, alice);
    for (const element of ['style', 'script']) {
      const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(body)?.[1] ?? '';
      expect(contentSecurityPolicy).toContain(
        `${element}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`,
      );
    }
    expect(contentSecurityPolicy).toContain("default-src 'none'");
    expect(contentSecurityPolicy).toContain("form-action 'none'");
    expect(connectPage(ticket, 'x', nameless).contentSecurityPolicy).not.toContain('script-src');
  });

  const texts = ({ body }: { readonly body: string }): string =>
    body
      .replace(/<(style|script)>[^]*?<\/\1>/g, ' ')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');

  it('show the user, the tool and the scopes before consent', () => {
    const scopes = [{ allows: 'Read a' }, { allows: 'Write b' }];
    const page = connectPage({ ...ticket, display: { ...ticket.display, scopes } }, 'SEALED', alice);
    expect(page.body).toContain('<title>Connect GitHub · OnBehalf</title>');
    expect(texts(page)).toContain('For Alice (a@x) To do Read it It may Read a Write b Continue to GitHub');
    expect(page.body).toContain('<li>Read a</li><li>Write b</li>');
    expect(page.body).toContain(
      '<form method="post" action="/oauth2/connect"><input type="hidden" name="ticket" value="SEALED">',
    );
    expect(page.body).toContain('<body class="neutral">');
  });

  it('show the account that was connected before, and why a scope allows more than the task needs', () => {
    const display = {
      ...ticket.display,
      account: 'alice-octo',
      scopes: [{ allows: 'Write', why: 'No other.' }],
    };
    const page = connectPage({ ...ticket, display }, 'SEALED', alice);
    expect(texts(page)).toContain('Account alice-octo, which you connected before To do');
    expect(texts(page)).toContain('It may Write No other. Continue');
  });

  it('leave out an unknown name', () => {
    const page = connectPage(ticket, 'SEALED', nameless);
    expect(texts(page)).toContain('GitHub account. To do Read it');
    expect(page.body).toContain('<dl><dt>To do</dt>');
    expect(texts(page)).toContain('You are signed in · Sign out');
  });

  it.each([
    ['https://a.example/', "form-action 'self' https:; "],
    ['http://localhost:1/', "form-action 'self' https: http://localhost:* http://127.0.0.1:*; "],
  ])(
    'allow a form to redirect to localhost only when the application runs there: %s',
    (authorizationUrl, policy) => {
      expect(connectPage({ ...ticket, authorizationUrl }, 'x', alice).contentSecurityPolicy).toContain(
        policy,
      );
    },
  );

  it.each([
    ['done', 'authorization_complete'],
    ['denied', 'authorization_denied'],
  ] as const)('tell the waiting page the result of its interrupt: %s', (kind, type) => {
    expect(resultPage({ ...done, kind }, alice).body).toContain(
      `<script>new BroadcastChannel('onbehalf').postMessage({"type":"${type}","sessionId":"one","interruptId":"interrupt-1"});</script>`,
    );
  });

  it.each([
    ['one', '/?c=one'],
    ['a&b=c"\ud800', '/?c=a%26b%3Dc%22%EF%BF%BD'],
  ])('lead back to the conversation that waits: %j', (sessionId, address) => {
    expect(resultPage({ ...done, waiting: { ...waiting, sessionId } }, alice).body).toContain(
      `href="${address}"`,
    );
    const { waiting: _, ...alone } = done;
    expect(resultPage(alone, alice).body).toContain('href="/"');
  });

  it('keep a script intact, whatever values it contains', () => {
    const sessionId = '</script>&\u2028\u2029é';
    const { body } = resultPage({ ...done, waiting: { ...waiting, sessionId } }, alice);
    expect(body).toContain('"sessionId":"\\u003c/script\\u003e\\u0026\\u2028\\u2029é"');
  });

  it.each([
    ['done', 'Connected', 'good', 'GitHub is connected'],
    ['already_done', 'Already connected', 'good', 'GitHub is already connected'],
    ['denied', 'Not connected', 'neutral', 'You did not authorize access'],
    ['in_progress', 'Almost connected', 'neutral', 'GitHub is being connected'],
  ] as const)('show the result, the signed-in user and the next step: %s', (kind, title, tone, heading) => {
    const page = resultPage({ kind, provider: 'GitHub' }, alice);
    expect(page.body).toContain(`<title>${title} · OnBehalf</title>`);
    expect(page.body).toContain(`<body class="${tone}">`);
    expect(page.body).toContain('<a href="/">Return to the assistant</a>');
    expect(texts(page)).toContain(heading);
    expect(texts(page)).toContain('Signed in as Alice (a@x) · Sign out');
    expect(page.contentSecurityPolicy).not.toContain('script-src');
  });

  it('show the account that was connected before, if it is known', () => {
    expect(texts(resultPage({ ...done, account: 'alice-octo' }, alice))).toContain(
      'Before, you had connected the account alice-octo',
    );
    expect(texts(resultPage(done, alice))).not.toContain('Before, you had');
  });
});
