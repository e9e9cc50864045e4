import { Logger } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ProviderModule } from '../tools/index.js';
import { github } from './github.provider.js';
import { GitHubApi } from './testing/github-api.js';
import { OfferedTools } from './testing/offered-tools.js';

const found = {
  number: 7,
  title: 'It is broken',
  body: 'Look.',
  state: 'open',
  html_url: 'https://github.com/alice-octo/notes/issues/7',
};
const issue = {
  number: 7,
  title: 'It is broken',
  body: 'Look.',
  state: 'open',
  url: 'https://github.com/alice-octo/notes/issues/7',
};
const { body: _body, ...issueWithoutBody } = issue;
const where = { owner: 'alice-octo', repo: 'notes' };
const whereIsNothing = [
  { repo: 'notes' },
  { owner: 'alice-octo' },
  { ...where, owner: '' },
  { ...where, owner: 'x'.repeat(40) },
  { ...where, repo: '' },
  { ...where, repo: 'x'.repeat(101) },
  { ...where, owner: 7 },
  { ...where, extra: 1 },
];
const wholeNames = { owner: 'x'.repeat(39), repo: 'y'.repeat(100) };

describe('GitHubIssueTools', () => {
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
    ['list_github_issues', 'read'],
    ['create_github_issue', 'write'],
  ])('%s is known as a %s, and needs the scope repo', async (name, effect) => {
    await tools.call(name, {});
    expect(tools.called).toMatchObject([{ name, effect, access: { provider: 'github', scopes: ['repo'] } }]);
  });

  it.each(['list_github_issues', 'create_github_issue'])(
    '%s is told to people and to the model in words',
    (name) => {
      const specification = tools.specification(name);
      expect(specification?.title).toMatch(/\w+ \w+/);
      expect(specification?.description).toMatch(/^\w+ \w+/);
    },
  );

  describe('list_github_issues', () => {
    beforeEach(() => {
      api.answer = [found];
    });

    it('answers with the issues of a repository', async () => {
      api.answer = [found, { ...found, number: 8, state: 'closed', user: 'SECRET' }];
      expect(await tools.call('list_github_issues', where)).toEqual({
        kind: 'result',
        provider: 'github',
        data: { issues: [issue, { ...issue, number: 8, state: 'closed' }] },
        widerScopes: [],
      });
    });

    it.each([[null], [undefined]])('leaves out a body that is %s', async (body) => {
      api.answer = [{ ...found, body }];
      expect(await tools.call('list_github_issues', where)).toHaveProperty(
        ['data', 'issues'],
        [issueWithoutBody],
      );
    });

    it('keeps a body that is empty', async () => {
      api.answer = [{ ...found, body: '' }];
      expect(await tools.call('list_github_issues', where)).toMatchObject({
        data: { issues: [{ body: '' }] },
      });
    });

    it.each([
      [{}, '?state=open&per_page=10'],
      [{ state: 'closed', limit: 1 }, '?state=closed&per_page=1'],
      [{ state: 'all', limit: 100 }, '?state=all&per_page=100'],
      [{ state: 'open' }, '?state=open&per_page=10'],
    ])('asks for %j', async (input, query) => {
      expect((await tools.call('list_github_issues', { ...where, ...input })).kind).toBe('result');
      expect(api.seen).toMatchObject([{ method: 'GET', url: `/repos/alice-octo/notes/issues${query}` }]);
    });

    it('takes names as long as GitHub has them', async () => {
      expect((await tools.call('list_github_issues', wholeNames)).kind).toBe('result');
    });

    it('keeps a name in its place', async () => {
      await tools.call('list_github_issues', { owner: 'a/../b', repo: 'c?d' });
      expect(api.seen[0]?.url).toBe('/repos/a%2F..%2Fb/c%3Fd/issues?state=open&per_page=10');
    });

    it.each([
      ...whereIsNothing,
      { ...where, limit: 0 },
      { ...where, limit: 101 },
      { ...where, limit: 1.5 },
      { ...where, state: 'merged' },
    ])('asks for nothing with %j', async (input) => {
      expect(await tools.call('list_github_issues', input)).toMatchObject({ code: 'tool_input_invalid' });
      expect(api.seen).toEqual([]);
    });

    it.each(['number', 'title', 'state', 'html_url'])('does not take an issue without %s', async (member) => {
      api.answer = [{ ...found, [member]: undefined }];
      expect(await tools.call('list_github_issues', where)).toMatchObject({ code: 'tool_output_invalid' });
    });
  });

  describe('create_github_issue', () => {
    beforeEach(() => {
      api.answer = found;
    });

    it('opens one issue, with what was given', async () => {
      const input = { ...where, title: 'It is broken', body: 'Look.' };
      expect(await tools.call('create_github_issue', input)).toMatchObject({ kind: 'result', data: issue });
      expect(api.seen).toMatchObject([{ method: 'POST', url: '/repos/alice-octo/notes/issues' }]);
      expect(api.seen[0]?.body).toEqual({ title: 'It is broken', body: 'Look.' });
    });

    it('sends no body where none was given', async () => {
      await tools.call('create_github_issue', { ...where, title: 'It is broken' });
      expect(api.seen[0]?.body).toEqual({ title: 'It is broken' });
    });

    it.each<[string, object]>([
      ['a title', { title: 'x'.repeat(256) }],
      ['a body', { title: 'x', body: 'y'.repeat(65_536) }],
      ['names', { ...wholeNames, title: 'x' }],
    ])('takes %s as long as GitHub has it', async (_name, input) => {
      expect((await tools.call('create_github_issue', { ...where, ...input })).kind).toBe('result');
    });

    it.each<[string, object]>([
      ...whereIsNothing.map((input): [string, object] => [JSON.stringify(input), { title: 'x', ...input }]),
      ['no title', where],
      ['an empty title', { ...where, title: '' }],
      ['a title that is too long', { ...where, title: 'x'.repeat(257) }],
      ['a body that is too long', { ...where, title: 'x', body: 'y'.repeat(65_537) }],
    ])('opens nothing with %s', async (_name, input) => {
      expect(await tools.call('create_github_issue', input)).toMatchObject({ code: 'tool_input_invalid' });
      expect(api.seen).toEqual([]);
    });

    it('does not know what was done where the answer is not understood', async () => {
      api.answer = {};
      expect(await tools.call('create_github_issue', { ...where, title: 'x' })).toMatchObject({
        code: 'tool_outcome_unknown',
      });
    });
  });
});
