import { beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, flowIdOf, type LedgerEntry } from '../identity/flow/index.js';
import { CONSENT, FLOWS, TICKET } from '../identity/testing/flow.js';
import { FlowCookies } from './flow-cookies.js';

const id = flowIdOf(TICKET.sessionUri);
const nonce = 'n'.repeat(22);

function entryWith(...nonces: readonly string[]): LedgerEntry {
  return {
    id,
    version: '1',
    record: {
      version: 1,
      state: 'started',
      sub: 'alice',
      provider: 'GitHub',
      consent: CONSENT,
      customState: digestOf('s'),
      browsers: nonces.map(digestOf),
      updatedAt: Date.now(),
      expiresAt: Date.now() + 600_500,
    },
  };
}

describe('FlowCookies', () => {
  let cookies: FlowCookies;
  beforeEach(() => {
    cookies = new FlowCookies(FLOWS);
  });

  it('outlive the flow by five minutes, and are valid for this host and this site only', () => {
    expect(cookies.write(entryWith(nonce), nonce)).toBe(
      `__Host-onbehalf-flow-${id}=${nonce}; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure`,
    );
    const late = { ...entryWith(nonce), record: { ...entryWith(nonce).record, expiresAt: 0 } };
    expect(cookies.write(late, nonce)).toContain('Max-Age=300;');
  });

  it('need no HTTPS on localhost', () => {
    const local = new FlowCookies({ ...FLOWS, publicUrl: 'http://localhost:8000' });
    expect(local.write(entryWith(nonce), nonce)).toBe(
      `onbehalf-flow-${id}=${nonce}; Path=/; Max-Age=900; HttpOnly; SameSite=Lax`,
    );
  });

  it('are short: 100 flows in one browser use less than 12 KB of a header', () => {
    const [pair = ''] = cookies.write(entryWith(nonce), nonce).split(';');
    expect(pair.length * 100).toBeLessThan(12_000);
  });

  const name = `__Host-onbehalf-flow-${id}`;
  it.each([
    ['the browser that started the flow', `a=b; ${name}=${nonce}; c=d`, true],
    ['another nonce', `${name}=${'m'.repeat(22)}`, false],
    ['no cookie', undefined, false],
    ["another flow's cookie", `${name}0=${nonce}`, false],
    ['two cookies of the same name', `${name}=${nonce}; ${name}=${nonce}`, false],
    ['a value that is not a nonce', `${name}=${nonce}n`, false],
    ['a name without the prefix', `onbehalf-flow-${id}=${nonce}`, false],
  ])('know %s', (_name, header, known) => {
    expect(cookies.knows(entryWith('o'.repeat(22), nonce), header)).toBe(known);
  });

  it('match no browser before the button is pressed', () => {
    expect(cookies.knows(entryWith(), `${name}=${nonce}`)).toBe(false);
  });

  it('keep the nonce when the button is pressed again, and never accept a nonce from the browser', () => {
    expect(cookies.nonceFor(entryWith(nonce), `${name}=${nonce}`)).toBe(nonce);
    const fresh = cookies.nonceFor(entryWith(), `${name}=${nonce}`);
    expect(fresh).toMatch(/^[\w-]{22}$/);
    expect(fresh).not.toBe(nonce);
    expect(cookies.nonceFor(entryWith(), undefined)).not.toBe(fresh);
  });

  it('expire one minute after the flow has ended', () => {
    expect(cookies.retire(entryWith(nonce), `${name}=${nonce}`)).toEqual([
      `${name}=${nonce}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure`,
    ]);
    expect(cookies.retire(entryWith(nonce), undefined)).toEqual([]);
  });
});
