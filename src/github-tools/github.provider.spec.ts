import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ProviderApi, TokenRefusedError, type Account } from '../tools/index.js';
import { github } from './github.provider.js';
import { GITHUB_SCOPES } from './github.scopes.js';
import { GitHubApi } from './testing/github-api.js';

describe('the provider GitHub', () => {
  let api: GitHubApi;

  beforeEach(async () => {
    api = await GitHubApi.start();
    api.answer = { id: 7, login: 'alice-octo', email: 'SECRET' };
  });
  afterEach(() => {
    api.close();
  });

  const identified = (): Promise<Account | undefined> => {
    const context = { accessToken: 'token', scopes: [], signal: new AbortController().signal };
    return (
      github.identify?.(new ProviderApi(github, { apiBase: api.url, deadlineMs: 10_000 }), context) ??
      Promise.resolve(undefined)
    );
  };

  it("tells whose token it is, by GitHub's own id", async () => {
    expect(await identified()).toStrictEqual({ id: '7', login: 'alice-octo' });
  });

  it.each([
    ['https://api.github.com', 'https://github.com/settings/applications'],
    ['https://api.octo.ghe.com', 'https://octo.ghe.com/settings/applications'],
    ['https://github.example.com/api/v3', 'https://github.example.com/settings/applications'],
  ])('of the API at %s has its settings at %s', (apiBase, expected) => {
    const { settingsUrl } = github;
    expect(typeof settingsUrl === 'string' ? settingsUrl : settingsUrl(apiBase)).toBe(expected);
  });

  it('asks GitHub in the version that the answers are read by', async () => {
    await identified();
    expect(api.seen).toMatchObject([
      {
        method: 'GET',
        url: '/user',
        headers: {
          authorization: 'Bearer token',
          accept: 'application/vnd.github+json',
          'x-github-api-version': '2022-11-28',
        },
      },
    ]);
  });

  it('tells the scopes of a token that has some', async () => {
    api.headers = { 'x-oauth-scopes': 'repo, read:user' };
    expect(await identified()).toEqual({ id: '7', login: 'alice-octo', scopes: ['repo', 'read:user'] });
  });

  it.each<[string, unknown]>([
    ['without an id', { login: 'alice-octo' }],
    ['without a name', { id: 7 }],
    ['whose id is text', { id: '7', login: 'alice-octo' }],
    ['whose id is no whole number', { id: 7.5, login: 'alice-octo' }],
  ])('does not take an account %s', async (_name, answer) => {
    api.answer = answer;
    await expect(identified()).rejects.toMatchObject({ code: 'tool_output_invalid' });
  });

  it('says where GitHub does not take the token', async () => {
    api.status = 401;
    await expect(identified()).rejects.toThrow(TokenRefusedError);
  });

  it('takes a wider scope for the one that is needed', async () => {
    api.headers = { 'x-oauth-scopes': 'user' };
    const client = new ProviderApi(github, { apiBase: api.url, deadlineMs: 10_000 });
    const asking = (scope: string): Promise<unknown> => {
      const answer = github.identify?.(client, {
        accessToken: 'token',
        scopes: [scope],
        signal: new AbortController().signal,
      });
      return answer ?? Promise.resolve();
    };
    await expect(asking('read:user')).resolves.toMatchObject({ id: '7' });
    await expect(asking('repo')).rejects.toThrow(TokenRefusedError);
  });

  it("is GitHub's public API, unless it is configured otherwise", () => {
    expect(github).toMatchObject({ id: 'github', label: 'GitHub', apiBase: 'https://api.github.com' });
    expect(github.scopes).toBe(GITHUB_SCOPES);
  });

  it("leads operators to GitHub's own page of OAuth clients", () => {
    expect(github.diagnosis?.clientsUrl).toBe('https://github.com/settings/developers');
  });

  it('is recognized by what its API answers without a token', () => {
    expect(github.diagnosis).toMatchObject({
      vendors: ['GithubOauth2', 'CustomOauth2'],
      vendorApiHost: new URL(github.apiBase).host,
      probePath: '/rate_limit',
      probeMembers: ['resources', 'message'],
    });
  });
});
