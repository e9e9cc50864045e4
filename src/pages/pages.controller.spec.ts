import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { testApp } from '../common/http/testing/app.js';
import { BuiltPages } from './built-pages.js';
import { PagesController } from './pages.controller.js';

describe('the pages over HTTP', () => {
  let folder: string;
  let app: NestFastifyApplication;

  const start = async (user: object): Promise<void> => {
    const providers = [{ provide: BuiltPages, useValue: new BuiltPages(folder) }];
    app = await testApp({ controllers: [PagesController], providers }, user);
  };
  const get = (url: string) => app.inject({ url });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'onbehalf-pages-'));
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<title>the page</title>');
    writeFileSync(join(folder, 'docs.html'), '<header><!--who--> · out</header>');
    writeFileSync(join(folder, 'assets/index-BksjyZUT.js'), 'run()');
    writeFileSync(join(folder, 'assets/logo.svg'), '<svg/>');
    writeFileSync(join(folder, 'assets/secret.env'), 'SECRET');
  });
  afterEach(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  it('are one page, in which no text can become HTML and nothing of another origin is loaded', async () => {
    await start({ sub: 'alice' });
    const answer = await get('/');
    expect(answer).toMatchObject({ statusCode: 200, body: '<title>the page</title>' });
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(answer.headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ]),
    );
    expect(policy.join()).not.toMatch(/unsafe|https?:|data:|\*/);
  });

  it.each([
    ['Alice <b>$&</b>', 'Signed in as Alice &#60;b&#62;$&#38;&#60;/b&#62;'],
    [undefined, 'You are signed in'],
  ])('have Swagger UI, which says who is signed in: %s', async (displayName, said) => {
    await start({ sub: 'alice', ...(displayName !== undefined && { displayName }) });
    const answer = await get('/docs');
    expect(answer).toMatchObject({ statusCode: 200, body: `<header>${said} · out</header>` });
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; /);
    expect(policy).not.toMatch(/https?:|\*|script-src[^;]*unsafe/);
  });

  it('are kept by the browser for as long as their name says what is in them', async () => {
    await start({ sub: 'alice' });
    const script = await get('/assets/index-BksjyZUT.js');
    expect(script).toMatchObject({ statusCode: 200, body: 'run()' });
    expect(script.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'private, max-age=31536000, immutable',
    });
    expect((await get('/assets/logo.svg')).headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'cache-control': 'private, max-age=3600',
    });
  });

  it.each(['secret.env', 'none.js', '..%2findex.html', '__proto__', 'constructor.js'])(
    'have no such file: %s',
    async (name) => {
      await start({ sub: 'alice' });
      expect((await get(`/assets/${name}`)).json()).toMatchObject({ status: 404, code: 'not_found' });
    },
  );

  it('are not there where they were not built', async () => {
    rmSync(folder, { recursive: true });
    await start({ sub: 'alice' });
    mkdirSync(folder);
    expect((await get('/')).statusCode).toBe(404);
    expect((await get('/assets/logo.svg')).statusCode).toBe(404);
  });

  it.each([
    [
      { sub: 'alice', displayName: 'Alice (alice@example.com)' },
      { displayName: 'Alice (alice@example.com)' },
    ],
    [{ sub: 'alice' }, {}],
  ])('tell who is signed in, and never the subject', async (user, told) => {
    await start(user);
    expect((await get('/me')).json()).toEqual(told);
  });
});
