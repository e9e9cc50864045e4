import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { z } from 'zod';
import { PROVIDERS } from '../../src/roles/providers.js';
import { ProviderApi } from '../../src/tools/index.js';
import { Claim } from '../support/assurance.ts';
import { Random } from '../support/random.ts';

const CASES = 2_000;
const PIECES = [
  '@',
  '//',
  '/',
  '..',
  '.',
  '\\',
  '\r\n',
  '\n',
  '\0',
  '%2e',
  '%2f',
  '%5c',
  '%',
  '?',
  '#',
  '&',
  ';',
  ':',
  ' ',
  'a',
  'repo',
  'evil.example',
  'http:',
  '\u2028',
  'é',
  '＠',
  '🙂',
];

describe("a provider's API", () => {
  let server: Server;
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('row 12: gets every path segment and every query value in its own place', async () => {
    const claim = new Claim(
      12,
      'random path segments and query values: each arrives unchanged in its place, or is refused',
      CASES * PROVIDERS.length,
    );
    const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const random = new Random(12);
    const context = { accessToken: 'x', scopes: [], signal: new AbortController().signal };
    for (let count = 0; count < CASES * PROVIDERS.length; count += 1) {
      const provider = PROVIDERS[count % PROVIDERS.length];
      if (provider === undefined) break;
      const client = new ProviderApi(provider, { apiBase: `${origin}/api/v3`, deadlineMs: 10_000 });
      const text = (): string =>
        Array.from({ length: random.below(4) + 1 }, () => random.pick(PIECES)).join('');
      const [owner, repo, sort] = [text(), text(), text()];
      asked.length = 0;
      const request = {
        path: ['repos', owner, repo, 'issues'],
        query: { sort },
        answer: z.object({}),
      };
      const refused = await client.get(request, context).then(
        () => false,
        () => true,
      );
      const [line = ''] = asked;
      const url = new URL(line, origin);
      const arrived =
        line.startsWith('/api/v3/repos/') &&
        url.pathname.split('/').slice(4).map(decodeURIComponent).join('\n') ===
          [owner, repo, 'issues'].join('\n') &&
        url.searchParams.get('sort') === sort;
      claim.check(
        () => JSON.stringify({ owner, repo, sort, line }),
        refused ? asked.length === 0 : asked.length === 1 && arrived,
      );
    }
    claim.finish();
  });
});
