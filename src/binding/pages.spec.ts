import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { FlowTicket } from '../identity/index.js';
import { alreadyDonePage, connectPage, donePage } from './pages.js';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\`</title></script>`;
const ticket: FlowTicket = {
  sub: 'alice',
  words: { provider: 'GitHub', scopes: ['Read your profile'], tool: 'Read it' },
  authorizationUrl: 'https://identity.example/authorize',
  sessionUri: 'urn:x',
  customState: 's',
  consent: {
    sessionId: 'one',
    runId: 'run',
    interruptId: 'interrupt-1',
    tool: 'read_it',
    provider: 'github',
    scopes: ['read:user'],
  },
  expiresAt: 0,
};

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
});
