// The agent role with two more tools, as a team would add them: one reads issues, one writes one. Every address that the
// process connects to is appended to the file that RECORD_EGRESS names.
import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { z } from 'zod';
import { GitHubClient } from '../../dist/github-tools/github.client.js';
import { readEnvironment } from '../../dist/config/index.js';
import { createApp } from '../../dist/create-app.js';
import { AgentTool } from '../../dist/tools/index.js';

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...parameters) {
  const [{ host = 'localhost', port } = {}] = parameters.flat();
  appendFileSync(process.env['RECORD_EGRESS'], `${host}:${port}\n`);
  return connect.apply(this, parameters);
};

const config = readEnvironment();
const repository = { owner: z.string(), repo: z.string() };
const access = { provider: 'github', scopes: ['repo'] };
const issue = z.object({ number: z.int(), title: z.string(), body: z.string().nullish() });

class IssueTools {
  provider = {
    id: 'github',
    label: 'GitHub',
    credentialProvider: config.github.credentialProvider,
    scopes: { repo: 'Read and write your repositories' },
  };
  github = new GitHubClient(config);

  async list({ owner, repo }, context) {
    const path = ['repos', owner, repo, 'issues'];
    return { issues: await this.github.get({ path, scopes: ['repo'], answer: z.array(issue) }, context) };
  }

  async create({ owner, repo, title }, { accessToken, signal }) {
    const path = [owner, repo].map(encodeURIComponent).join('/');
    const answer = await fetch(`${config.github.apiBase}/repos/${path}/issues`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title }),
      signal,
    });
    return issue.parse(await answer.json());
  }
}

const offer = (method, options) =>
  AgentTool({ ...options, access })(
    IssueTools.prototype,
    method,
    Object.getOwnPropertyDescriptor(IssueTools.prototype, method),
  );
offer('list', {
  name: 'list_issues',
  title: 'List the issues of a repository',
  description: 'Lists issues.',
  effect: 'read',
  input: z.strictObject(repository),
  output: z.object({ issues: z.array(issue) }),
});
offer('create', {
  name: 'create_issue',
  title: 'Open an issue',
  description: 'Opens an issue.',
  effect: 'write',
  input: z.strictObject({ ...repository, title: z.string() }),
  output: issue,
});

class IssuesModule {}

const app = await createApp(config, [{ module: IssuesModule, providers: [IssueTools] }]);
await app.listen({ port: config.port, host: config.host });
