import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AgentTool, ProviderApi, ToolError, type ToolCallContext } from '../tools/index.js';

const repository = {
  owner: z.string().min(1).max(39).describe('The account or organization that owns the repository'),
  repo: z.string().min(1).max(100).describe("The repository's name, without its owner"),
};
const listInput = z.strictObject({
  ...repository,
  state: z.enum(['open', 'closed', 'all']).default('open'),
  limit: z.int().min(1).max(100).default(10).describe('How many issues to list'),
});
const createInput = z.strictObject({
  ...repository,
  title: z.string().min(1).max(256),
  body: z.string().max(65_536).optional().describe('Markdown'),
});
type ListInput = z.output<typeof listInput>;
type CreateInput = z.output<typeof createInput>;

const issue = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().optional(),
  state: z.string(),
  url: z.string(),
});
const issues = z.object({ issues: z.array(issue) });

/** GitHub's own member names, as its REST API sends them. */
const issueAnswer = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.string(),
  html_url: z.string(),
});

const createdIssue = issueAnswer.extend({ created_at: z.string() });
const creator = z.object({ login: z.string() });
/** GitHub's clock and ours may differ by this. */
const CLOCKS_APART_MS = 60_000;
const PAGE = 100;
const MAXIMUM_PAGES = 10;
const NOT_TO_BE_TOLD =
  'This may have been done before, and you have opened too many issues since to tell. Look for it at GitHub.';

/** Issues at GitHub, in the name of the user who asked. */
@Injectable()
export class GitHubIssueTools {
  readonly #github: ProviderApi;

  constructor(github: ProviderApi) {
    this.#github = github;
  }

  @AgentTool({
    name: 'list_github_issues',
    title: 'List the issues of a GitHub repository',
    description: 'List the issues of one GitHub repository that the user can see, the newest first.',
    input: listInput,
    output: issues,
    access: { provider: 'github', scopes: ['repo'] },
    effect: 'read',
  })
  async list(
    { owner, repo, state, limit }: ListInput,
    context: ToolCallContext,
  ): Promise<z.input<typeof issues>> {
    const request = { path: ['repos', owner, repo, 'issues'], query: { state, per_page: limit } };
    const found = await this.#github.get({ ...request, answer: z.array(issueAnswer) }, context);
    return { issues: found.map(issueOf) };
  }

  @AgentTool({
    name: 'create_github_issue',
    title: 'Open an issue at GitHub',
    description: "Open an issue in a GitHub repository, in the user's name.",
    input: createInput,
    output: issue,
    access: { provider: 'github', scopes: ['repo'] },
    effect: 'write',
    verifiedBy: 'findCreated',
    allowable: ['owner', 'repo'],
  })
  async create(
    { owner, repo, title, body }: CreateInput,
    context: ToolCallContext,
  ): Promise<z.input<typeof issue>> {
    const request = { method: 'POST', path: ['repos', owner, repo, 'issues'], answer: issueAnswer } as const;
    const created = await this.#github.write({ ...request, body: { title, body } }, context);
    return issueOf(created);
  }

  /**
   * The issue that a call has opened whose answer was lost: the same words, by the same user, since then.
   * @throws ToolError `tool_outcome_unknown` where the user has opened too many since to tell
   */
  async findCreated(
    { owner, repo, title, body }: CreateInput,
    context: ToolCallContext,
    since: Date,
  ): Promise<z.input<typeof issue> | undefined> {
    const { login } = await this.#github.get({ path: ['user'], answer: creator }, context);
    const earliest = since.getTime() - CLOCKS_APART_MS;
    const query = {
      creator: login,
      state: 'all',
      sort: 'created',
      direction: 'desc',
      since: new Date(earliest).toISOString(),
      per_page: PAGE,
    } as const;
    const path = ['repos', owner, repo, 'issues'];
    for (let page = 1; page <= MAXIMUM_PAGES; page += 1) {
      const answer = z.array(createdIssue);
      const listed = await this.#github.get({ path, query: { ...query, page }, answer }, context);
      const recent = listed.filter(({ created_at: at }) => Date.parse(at) >= earliest);
      const same = recent.find((each) => each.title === title && (each.body ?? '') === (body ?? ''));
      if (same !== undefined) return issueOf(same);
      if (recent.length < PAGE) return undefined;
    }
    throw new ToolError('tool_outcome_unknown', NOT_TO_BE_TOLD);
  }
}

function issueOf({
  html_url: url,
  body,
  number,
  title,
  state,
}: z.output<typeof issueAnswer>): z.input<typeof issue> {
  return { number, title, state, url, ...(body !== undefined && body !== null && { body }) };
}
