import { z } from 'zod';
import type { Provider } from '../tools/index.js';
import { GitHubIssueTools } from './github-issue.tools.js';
import { GitHubTools } from './github.tools.js';
import { covers, GITHUB_SCOPES, grantedScopes } from './github.scopes.js';

const account = z.object({ id: z.int(), login: z.string() });

/** GitHub, or a GitHub Enterprise Server. */
export const github: Provider = {
  id: 'github',
  label: 'GitHub',
  apiBase: 'https://api.github.com',
  scopes: GITHUB_SCOPES,
  /** An Enterprise Server has its pages at the host of its API; the others have their API at `api.` before that host. */
  settingsUrl: (apiBase) => new URL('/settings/applications', apiBase.replace('//api.', '//')).href,
  tools: [GitHubTools, GitHubIssueTools],
  /** https://docs.github.com/rest/about-the-rest-api/api-versions */
  headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
  grantedScopes,
  covers,
  /** `GET /user` needs no scope, and its answer's `X-OAuth-Scopes` tells those of a classic OAuth token. */
  identify: async (api, context) => {
    const { data, scopes } = await api.getWithScopes({ path: ['user'], answer: account }, context);
    return { id: String(data.id), login: data.login, ...(scopes !== undefined && { scopes }) };
  },
  diagnosis: {
    vendors: ['GithubOauth2', 'CustomOauth2'],
    vendorApiHost: 'api.github.com',
    probePath: '/rate_limit',
    probeMembers: ['resources', 'message'],
    clientsUrl: 'https://github.com/settings/developers',
  },
};
