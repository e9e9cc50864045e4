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
      if (path.join('/') === 'user') return Promise.resolve({ login: 'alice-octo' });
      const from = 100 * (Number(query?.page) - 1);
      return Promise.resolve(listed.slice(from, from + 100));
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
          page: 1,
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

  const others = (count: number, more = {}): object[] =>
    Array.from({ length: count }, (_, n) => ({ ...CREATED, title: `Other ${String(n)}`, ...more }));
  const pages = (): unknown[] => asked.slice(1).map(({ query }) => query?.page);

  it('is found behind hundreds of others', async () => {
    listed = [...others(999), CREATED];
    expect(await find()).toMatchObject({ number: 7 });
    expect(pages()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('is looked for until there are none since then', async () => {
    listed = [...others(150), ...others(300, { created_at: '2026-01-01T11:00:00Z' })];
    expect(await find()).toBeUndefined();
    expect(pages()).toEqual([1, 2]);
  });

  it('is not said not to be there where there are too many to tell', async () => {
    listed = [...others(1_000), CREATED];
    await expect(find()).rejects.toMatchObject({
      code: 'tool_outcome_unknown',
      message:
        'This may have been done before, and you have opened too many issues since to tell. Look for it at GitHub.',
    });
    expect(pages()).toHaveLength(10);
  });

  it('is the same one where neither has a text, a minute early by its own clock', async () => {
    listed = [{ ...CREATED, body: null, created_at: '2026-01-01T11:59:00Z' }];
    const { body: _, ...without } = INPUT;
    expect(await find(without)).toMatchObject({ number: 7 });
  });
});
