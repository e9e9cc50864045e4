import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { alreadyDonePage, connectPage, donePage } from './pages.js';
import { TICKET as ticket } from '../identity/testing/flow.js';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\`</title></script>`;

describe('the pages', () => {
  it('escape whatever is put into them', () => {
    const hostile = { ...ticket, words: { provider: HOSTILE, scopes: [HOSTILE], tool: HOSTILE } };
    const consent = { ...ticket.consent, sessionId: HOSTILE, interruptId: HOSTILE };
    const pages = [
      connectPage(hostile, HOSTILE, HOSTILE),
      alreadyDonePage({ providerLabel: HOSTILE }),
      donePage({ providerLabel: HOSTILE, consent }),
    ];
    for (const { body } of pages) {
      expect(body).not.toContain('<script>alert');
      expect(body).not.toContain('<img');
      expect(body.match(/<\/script>/g)?.length ?? 0).toBeLessThanOrEqual(1);
    }
  });

  it('allow the one style and the one script that they carry', () => {
    const { body, contentSecurityPolicy } = donePage({ providerLabel: 'GitHub', consent: ticket.consent });
    for (const element of ['style', 'script']) {
      const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(body)?.[1] ?? '';
      expect(contentSecurityPolicy).toContain(
        `${element}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`,
      );
    }
    expect(contentSecurityPolicy).toContain("default-src 'none'");
    expect(contentSecurityPolicy).toContain("form-action 'none'");
    expect(connectPage(ticket, 'x', undefined).contentSecurityPolicy).not.toContain('script-src');
  });

  it('let the form lead to encrypted addresses, and to this machine where that is not', () => {
    expect(connectPage(ticket, 'x', 'Alice').contentSecurityPolicy).toContain("form-action 'self' https:;");
    const local = { ...ticket, authorizationUrl: 'http://127.0.0.1:1/authorize' };
    expect(connectPage(local, 'x', 'Alice').contentSecurityPolicy).toContain(
      "'self' https: http://localhost:*",
    );
  });

  const texts = ({ body }: { readonly body: string }): string =>
    body
      .replace(/<(style|script)>[^]*?<\/\1>/g, ' ')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');

  it('say before consent who asks for what, for whom', () => {
    const two = { ...ticket, words: { ...ticket.words, scopes: ['Read a', 'Write b'] } };
    const page = connectPage(two, 'SEALED', 'Alice (a@x)');
    expect(page.body).toContain('<title>Connect GitHub · OnBehalf</title>');
    expect(texts(page)).toContain('For Alice (a@x) To do Read it It may Read a Write b Continue to GitHub');
    expect(page.body).toContain('<li>Read a</li><li>Write b</li>');
    expect(page.body).toContain(
      '<form method="post" action="/oauth2/connect"><input type="hidden" name="ticket" value="SEALED">',
    );
    expect(page.body).toContain('<body class="neutral">');
  });

  it('say nothing of a name that is not known', () => {
    const page = connectPage(ticket, 'SEALED', undefined);
    expect(texts(page)).toContain('GitHub account. To do Read it');
    expect(page.body).toContain('<dl><dt>To do</dt>');
  });

  it('let a form lead to this machine from there alone', () => {
    const policyOf = (authorizationUrl: string): string =>
      connectPage({ ...ticket, authorizationUrl }, 'x', 'Alice').contentSecurityPolicy;
    expect(policyOf('https://a.example/')).toContain("form-action 'self' https:; ");
    expect(policyOf('http://localhost:1/')).toContain(
      "form-action 'self' https: http://localhost:* http://127.0.0.1:*; ",
    );
  });

  it('tell the waiting page which interrupt may be resumed', () => {
    const page = donePage({ providerLabel: 'GitHub', consent: ticket.consent });
    expect(page.body).toContain(
      `<script>new BroadcastChannel('onbehalf').postMessage({"type":"authorization_complete","sessionId":"one","interruptId":"interrupt-1"});</script>`,
    );
    expect(page.body).toContain('<title>Connected · OnBehalf</title>');
    expect(page.body).toContain('<body class="good">');
    expect(texts(page)).toContain('GitHub is connected');
  });

  it('keep a script whole, whatever it says', () => {
    const sessionId = '</script>&\u2028\u2029é';
    const { body } = donePage({ providerLabel: 'GitHub', consent: { ...ticket.consent, sessionId } });
    expect(body).toContain('"sessionId":"\\u003c/script\\u003e\\u0026\\u2028\\u2029é"');
  });

  it('say that it was done before', () => {
    const page = alreadyDonePage({ providerLabel: 'GitHub' });
    expect(page.body).toContain('<title>Already connected · OnBehalf</title>');
    expect(page.body).toContain('<body class="good">');
    expect(texts(page)).toContain('GitHub is already connected');
    expect(page.contentSecurityPolicy).not.toContain('script-src');
  });
});
