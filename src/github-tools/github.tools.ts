import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AgentTool, ProviderApi, type ToolCallContext } from '../tools/index.js';

const noInput = z.strictObject({});
const listInput = z.strictObject({
  limit: z.int().min(1).max(100).default(10).describe('How many repositories to list'),
  sort: z.enum(['updated', 'pushed', 'created', 'full_name']).default('updated').describe('What comes first'),
});
type NoInput = z.output<typeof noInput>;
type ListInput = z.output<typeof listInput>;

const profile = z.object({
  login: z.string(),
  name: z.string().optional(),
  bio: z.string().optional(),
  company: z.string().optional(),
  location: z.string().optional(),
  publicRepositories: z.int(),
  followers: z.int(),
  memberSince: z.string(),
  url: z.string(),
});

const repositories = z.object({
  repositories: z.array(
    z.object({
      fullName: z.string(),
      description: z.string().optional(),
      private: z.boolean(),
      language: z.string().optional(),
      stars: z.int(),
      updatedAt: z.string(),
      url: z.string(),
    }),
  ),
});

/** GitHub's own member names, as its REST API sends them. */
const userAnswer = z.object({
  login: z.string(),
  name: z.string().nullish(),
  bio: z.string().nullish(),
  company: z.string().nullish(),
  location: z.string().nullish(),
  public_repos: z.int(),
  followers: z.int(),
  created_at: z.string(),
  html_url: z.string(),
});

const repositoriesAnswer = z.array(
  z.object({
    full_name: z.string(),
    description: z.string().nullish(),
    private: z.boolean(),
    language: z.string().nullish(),
    stargazers_count: z.int(),
    updated_at: z.string(),
    html_url: z.string(),
  }),
);

/** The user's own account and repositories at GitHub. */
@Injectable()
export class GitHubTools {
  readonly #github: ProviderApi;

  constructor(github: ProviderApi) {
    this.#github = github;
  }

  @AgentTool({
    name: 'get_github_user',
    title: 'Read your GitHub profile',
    description:
      'Tell who the user is on GitHub: login, name and profile. Use it when the user asks about their own account.',
    input: noInput,
    output: profile,
    access: { provider: 'github', scopes: ['read:user'] },
    effect: 'read',
  })
  async getUser(_input: NoInput, context: ToolCallContext): Promise<z.input<typeof profile>> {
    const user = await this.#github.get({ path: ['user'], answer: userAnswer }, context);
    return {
      login: user.login,
      name: user.name ?? undefined,
      bio: user.bio ?? undefined,
      company: user.company ?? undefined,
      location: user.location ?? undefined,
      publicRepositories: user.public_repos,
      followers: user.followers,
      memberSince: user.created_at,
      url: user.html_url,
    };
  }

  @AgentTool({
    name: 'list_github_repos',
    title: 'List your GitHub repositories',
    description: "List the user's own GitHub repositories, private ones included, the latest updated first.",
    input: listInput,
    output: repositories,
    access: { provider: 'github', scopes: ['repo'] },
    effect: 'read',
  })
  async listRepositories(
    { limit, sort }: ListInput,
    context: ToolCallContext,
  ): Promise<z.input<typeof repositories>> {
    const query = { per_page: limit, sort };
    const found = await this.#github.get(
      { path: ['user', 'repos'], query, answer: repositoriesAnswer },
      context,
    );
    return {
      repositories: found.map((repository) => ({
        fullName: repository.full_name,
        description: repository.description ?? undefined,
        private: repository.private,
        language: repository.language ?? undefined,
        stars: repository.stargazers_count,
        updatedAt: repository.updated_at,
        url: repository.html_url,
      })),
    };
  }
}
