import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ApiRequest, ProviderApi, ToolCallContext } from '../tools/index.js';
import { GitHubIssueTools } from './github-issue.tools.js';

const SINCE = new Date('2026-01-01T12:00:00Z');
const INPUT = { owner: 'alice-octo', repo: 'notes', title: 'Lamp', body: 'It is broken.' };
const CREATED = {
  number: 7,
  title: 'Lamp',
  body: 'It is broken.',
  state: 'open',
  html_url: 'https://github.com/alice-octo/notes/issues/7',
  created_at: '2026-01-01T12:00:01Z',
};

describe('an issue that may have been opened', () => {
  let asked: Pick<ApiRequest<unknown>, 'path' | 'query'>[];
  let listed: object[];
  let tools: GitHubIssueTools;

  beforeEach(() => {
    [asked, listed] = [[], [CREATED]];
    const get = ({ path, query }: Pick<ApiRequest<unknown>, 'path' | 'query'>): Promise<unknown> => {
      asked.push({ path, ...(query !== undefined && { query }) });
      return Promise.resolve(path.join('/') === 'user' ? { login: 'alice-octo' } : listed);
    };
    tools = new GitHubIssueTools({ get } as unknown as ProviderApi);
  });

  const find = (input: Parameters<GitHubIssueTools['findCreated']>[0] = INPUT): Promise<unknown> =>
    tools.findCreated(input, {} as ToolCallContext, SINCE);

  it('is looked for among those of the user since then', async () => {
    expect(await find()).toEqual({
      number: 7,
      title: 'Lamp',
      body: 'It is broken.',
      state: 'open',
      url: CREATED.html_url,
    });
    expect(asked).toEqual([
      { path: ['user'] },
      {
        path: ['repos', 'alice-octo', 'notes', 'issues'],
        query: {
          creator: 'alice-octo',
          state: 'all',
          sort: 'created',
          direction: 'desc',
          since: '2026-01-01T11:59:00.000Z',
          per_page: 100,
        },
      },
    ]);
  });

  it.each([
    ['another title', { ...CREATED, title: 'Lamps' }],
    ['another text', { ...CREATED, body: 'It works.' }],
    ['no text', { ...CREATED, body: null }],
    ['an earlier time', { ...CREATED, created_at: '2026-01-01T11:58:59Z' }],
  ])('is another one with %s', async (_name, other) => {
    listed = [other];
    expect(await find()).toBeUndefined();
    listed = [other, CREATED];
    expect(await find()).toMatchObject({ number: 7 });
  });

  it('is the same one where neither has a text, a minute early by its own clock', async () => {
    listed = [{ ...CREATED, body: null, created_at: '2026-01-01T11:59:00Z' }];
    const { body: _, ...without } = INPUT;
    expect(await find(without)).toMatchObject({ number: 7 });
  });
});
