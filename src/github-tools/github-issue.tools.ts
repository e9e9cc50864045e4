import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AgentTool, ProviderApi, type ToolCallContext } from '../tools/index.js';

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
  })
  async create(
    { owner, repo, title, body }: CreateInput,
    context: ToolCallContext,
  ): Promise<z.input<typeof issue>> {
    const request = { method: 'POST', path: ['repos', owner, repo, 'issues'], answer: issueAnswer } as const;
    const created = await this.#github.write({ ...request, body: { title, body } }, context);
    return issueOf(created);
  }

  /** The issue that a call has opened whose answer was lost: the same words, by the same user, since then. */
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
      per_page: 100,
    } as const;
    const path = ['repos', owner, repo, 'issues'];
    const found = await this.#github.get({ path, query, answer: z.array(createdIssue) }, context);
    const same = found.find(
      (each) =>
        each.title === title && (each.body ?? '') === (body ?? '') && Date.parse(each.created_at) >= earliest,
    );
    return same === undefined ? undefined : issueOf(same);
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
