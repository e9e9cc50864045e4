import { Logger } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ProviderModule } from '../tools/index.js';
import { github } from './github.provider.js';
import { GitHubApi } from './testing/github-api.js';
import { OfferedTools } from './testing/offered-tools.js';

const user = {
  login: 'alice-octo',
  public_repos: 2,
  followers: 3,
  created_at: '2020-01-01T00:00:00Z',
  html_url: 'https://github.com/alice-octo',
};
const profile = {
  login: 'alice-octo',
  publicRepositories: 2,
  followers: 3,
  memberSince: '2020-01-01T00:00:00Z',
  url: 'https://github.com/alice-octo',
};
const repository = {
  full_name: 'alice-octo/notes',
  private: true,
  stargazers_count: 4,
  updated_at: '2026-01-01T00:00:00Z',
  html_url: 'https://github.com/alice-octo/notes',
};
const listed = {
  fullName: 'alice-octo/notes',
  private: true,
  stars: 4,
  updatedAt: '2026-01-01T00:00:00Z',
  url: 'https://github.com/alice-octo/notes',
};

describe('GitHubTools', () => {
  let api: GitHubApi;
  let module: TestingModule;
  let tools: OfferedTools;

  beforeEach(async () => {
    api = await GitHubApi.start();
    const config = { credentialProvider: 'github-cp', apiBase: api.url, deadlineMs: 10_000 };
    const imports = [DiscoveryModule, ProviderModule.forProvider(github, config)];
    module = await Test.createTestingModule({ imports }).compile();
    Logger.overrideLogger(false);
    tools = new OfferedTools(module.get(DiscoveryService));
  });
  afterEach(async () => {
    await module.close();
    api.close();
  });

  it.each([
    ['get_github_user', 'read:user'],
    ['list_github_repos', 'repo'],
  ])('%s only reads, and needs no more than %s', async (name, scope) => {
    await tools.call(name, {});
    expect(tools.called).toMatchObject([
      { name, effect: 'read', access: { provider: 'github', scopes: [scope] } },
    ]);
  });

  it.each(['get_github_user', 'list_github_repos'])(
    '%s is told to people and to the model in words',
    (name) => {
      const specification = tools.specification(name);
      expect(specification?.title).toMatch(/\w+ \w+/);
      expect(specification?.description).toMatch(/^\w+ \w+/);
    },
  );

  describe('get_github_user', () => {
    it("answers with the user's own profile", async () => {
      api.answer = { ...user, name: 'Alice', bio: 'Hi', company: 'Octo', location: 'Here', email: 'SECRET' };
      expect(await tools.call('get_github_user', {})).toMatchObject({
        kind: 'result',
        data: { ...profile, name: 'Alice', bio: 'Hi', company: 'Octo', location: 'Here' },
      });
      expect(api.seen).toMatchObject([{ method: 'GET', url: '/user' }]);
    });

    it('answers with nothing that the output does not name', async () => {
      api.answer = { ...user, email: 'SECRET' };
      expect(JSON.stringify(await tools.call('get_github_user', {}))).not.toContain('SECRET');
    });

    it.each(['name', 'bio', 'company', 'location'])(
      'leaves out %s where the user has none',
      async (member) => {
        api.answer = { ...user, name: null, bio: null, company: null, location: null };
        const outcome = await tools.call('get_github_user', {});
        expect(outcome).toMatchObject({ kind: 'result', data: profile });
        expect(outcome).toHaveProperty(['data', member], undefined);
      },
    );

    it.each(Object.keys(user))('does not take an answer without %s', async (member) => {
      api.answer = { ...user, [member]: undefined };
      expect(await tools.call('get_github_user', {})).toMatchObject({ code: 'tool_output_invalid' });
    });

    it('takes no input', async () => {
      api.answer = user;
      expect(await tools.call('get_github_user', { login: 'bob' })).toMatchObject({
        code: 'tool_input_invalid',
      });
      expect(api.seen).toEqual([]);
    });
  });

  describe('list_github_repos', () => {
    beforeEach(() => {
      api.answer = [repository];
    });

    it("answers with the user's own repositories", async () => {
      api.answer = [repository, { ...repository, description: 'Notes', language: 'Go', owner: 'SECRET' }];
      expect(await tools.call('list_github_repos', {})).toEqual({
        kind: 'result',
        provider: 'github',
        data: { repositories: [listed, { ...listed, description: 'Notes', language: 'Go' }] },
        widerScopes: [],
      });
    });

    it.each(['description', 'language'])('leaves out %s where there is none', async (member) => {
      api.answer = [{ ...repository, [member]: null }];
      expect(await tools.call('list_github_repos', {})).toMatchObject({ data: { repositories: [listed] } });
    });

    it.each([
      [{}, '/user/repos?per_page=10&sort=updated'],
      [{ limit: 1 }, '/user/repos?per_page=1&sort=updated'],
      [{ limit: 100, sort: 'pushed' }, '/user/repos?per_page=100&sort=pushed'],
      [{ sort: 'created' }, '/user/repos?per_page=10&sort=created'],
      [{ sort: 'full_name' }, '/user/repos?per_page=10&sort=full_name'],
      [{ sort: 'updated' }, '/user/repos?per_page=10&sort=updated'],
    ])('asks for %j', async (input, url) => {
      expect((await tools.call('list_github_repos', input)).kind).toBe('result');
      expect(api.seen).toMatchObject([{ method: 'GET', url }]);
    });

    it.each([[{ limit: 0 }], [{ limit: 101 }], [{ limit: 1.5 }], [{ sort: 'stars' }], [{ page: 2 }]])(
      'asks for nothing with %j',
      async (input) => {
        expect(await tools.call('list_github_repos', input)).toMatchObject({ code: 'tool_input_invalid' });
        expect(api.seen).toEqual([]);
      },
    );

    it.each(Object.keys(repository))('does not take a repository without %s', async (member) => {
      api.answer = [{ ...repository, [member]: undefined }];
      expect(await tools.call('list_github_repos', {})).toMatchObject({ code: 'tool_output_invalid' });
    });
  });
});
