import type { LocalProvider } from '../../local/provider-gate/provider.ts';

interface IssueJson {
  readonly title: string;
}

const PAGE = 100;

/** How many issues of each title GitHub has, in the repositories of all users. */
export async function issuesByTitle(
  gitHub: LocalProvider,
  repositories: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const titles = (await Promise.all(repositories.map((each) => titlesIn(gitHub, each)))).flat();
  return new Map([...Map.groupBy(titles, (title) => title)].map(([title, all]) => [title, all.length]));
}

/** Any user's token with the scope for issues can read the public repositories. */
async function titlesIn({ apiBase, grants }: LocalProvider, repository: string): Promise<readonly string[]> {
  const token = grants.accessTokens().find((each) => grants.inspect(each)?.scopes.includes('repo') === true);
  const titles: string[] = [];
  for (let page = 1; ; page += 1) {
    const query = `state=all&per_page=${String(PAGE)}&page=${String(page)}`;
    const response = await fetch(`${apiBase}/repos/${repository}/issues?${query}`, {
      headers: { authorization: `Bearer ${token ?? ''}` },
    });
    if (!response.ok) throw new Error(`GitHub answered ${String(response.status)} for ${repository}`);
    const issues = (await response.json()) as readonly IssueJson[];
    titles.push(...issues.map(({ title }) => title));
    if (issues.length < PAGE) return titles;
  }
}
