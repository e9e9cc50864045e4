import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RevocationClient } from '../../config/index.js';
import { GrantsAdapter } from './grants.adapter.js';

const BASIC = `Basic ${Buffer.from('the%20client:s%3Acret').toString('base64')}`;

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

describe('the grants of users at a provider', () => {
  let server: Server;
  let seen: Seen[];
  /** The answers to the end of a grant, and to a probe. */
  let ends: (response: ServerResponse) => void;
  let probe: () => number;
  let base: string;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    seen = [];
    ends = (response) => response.writeHead(204).end();
    probe = () => 401;
    server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method, url, headers } = request;
    seen.push({ method, url, authorization: headers.authorization, body });
    if (method === 'GET') response.writeHead(probe()).end('{}');
    else ends(response);
  }
  const clientOf = (revocation: RevocationClient['revocation']): RevocationClient => ({
    apiBase: base,
    clientId: 'the client',
    clientSecret: 's:cret',
    revocation,
    probePath: '/user',
  });
  const grants = (revocation: RevocationClient['revocation'] = 'github', deadlineMs = 5_000): GrantsAdapter =>
    new GrantsAdapter({ clients: { parrot: clientOf(revocation) }, deadlineMs });

  it('are ended at GitHub as its client, and the old token is tried', async () => {
    expect(await grants().revoke('parrot', ['token'])).toBe('proven');
    expect(seen).toEqual([
      {
        method: 'DELETE',
        url: '/applications/the%20client/grant',
        authorization: BASIC,
        body: '{"access_token":"token"}',
      },
      { method: 'GET', url: '/user', authorization: 'Bearer token', body: '' },
    ]);
  });

  it('are ended elsewhere by RFC 7009', async () => {
    expect(await grants({ endpoint: `${base}/revoke` }).revoke('parrot', ['token'])).toBe('proven');
    expect(seen[0]).toEqual({
      method: 'POST',
      url: '/revoke',
      authorization: BASIC,
      body: 'token=token&token_type_hint=access_token',
    });
  });

  it('are proven to be ended by the refusal of the token, and by nothing else', async () => {
    ends = (response) => response.writeHead(404).end();
    expect(await grants().revoke('parrot', ['token'])).toBe('proven');
    ends = (response) => response.writeHead(204).end();
    probe = () => 200;
    expect(await grants().revoke('parrot', ['token'])).toBe('still_valid');
    probe = () => 503;
    expect(await grants().revoke('parrot', ['token'])).toBe('not_proven');
  });

  it('are asked for again where the provider needs a moment', async () => {
    let probes = 0;
    probe = () => ((probes += 1) < 3 ? 200 : 401);
    expect(await grants().revoke('parrot', ['token'])).toBe('proven');
    expect(probes).toBe(3);
  });

  it('are as sure as the least sure of several tokens', async () => {
    let probes = 0;
    probe = () => ((probes += 1) === 1 ? 401 : 200);
    expect(await grants().revoke('parrot', ['one', 'two'])).toBe('still_valid');
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['does not answer', () => undefined],
    ['leads elsewhere', (response) => response.writeHead(302, { location: 'https://x.example' }).end()],
    ['breaks off', (response) => response.destroy()],
  ])('are not proven to be ended where the provider %s', async (_name, how) => {
    ends = how;
    expect(await grants('github', 300).revoke('parrot', ['token'])).toBe('not_proven');
    expect(seen).toHaveLength(1);
  });

  it.each(['bank', '__proto__', 'constructor'])(
    'are left alone where there is no client: %s',
    async (provider) => {
      expect(grants().canRevoke(provider)).toBe(false);
      expect(await grants().revoke(provider, ['token'])).toBe('not_proven');
      expect(seen).toEqual([]);
    },
  );
});
