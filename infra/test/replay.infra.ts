import { runSimulation } from '@cloud-copilot/iam-simulate';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { Template } from 'aws-cdk-lib/assertions';
import type { AwsCall } from '../../local/lib/aws-call.ts';
import { ACCESS_KEYS } from '../../local/stack.ts';
import { startIssuer, type TestIssuer } from '../../test/support/issuer.ts';
import { tokenOf } from '../../test/support/tokens.ts';
import { connectUrlOf, World } from '../../test/support/world.ts';
import { createDeployment } from '../lib/app.ts';
import { parseDeployment, type Deployment } from '../lib/deployment.ts';
import { plain, policyDocuments, type PolicyDocument } from '../lib/policy-documents.ts';
import { BUCKET, keyArnIn, listingFor, ofAnother, requestsOf, type IamRequest } from './aws-requests.ts';

type RoleName = 'agent' | 'session-binding';
const ROLES = ['agent', 'session-binding'] as const;
const other = (role: RoleName): RoleName => (role === 'agent' ? 'session-binding' : 'agent');

/** Plays all user actions for which a role calls AWS: consent, refusal, denial, tools, conversations. */
async function playEverything(world: World): Promise<void> {
  const alice = await world.signIn('alice@example.com');
  const bob = await world.signIn('bob@example.com');
  const paused = await world.ask(alice, 'replay', 'Who am I on GitHub?');
  await bob.navigate(connectUrlOf(paused));
  await world.consent(alice, connectUrlOf(paused), 'alice-octo');
  await world.resume(alice, 'replay', ['interrupt-1']);
  const second = await world.ask(alice, 'replay', 'List my repositories on GitHub');
  await world.consent(alice, connectUrlOf(second), 'alice-octo', 'cancel');
  const third = await world.ask(bob, 'replay', 'Who am I on GitHub?');
  await alice.navigate(await world.consentUpToBinding(bob, connectUrlOf(third), 'bob-octo'));
  await alice.navigate(
    `${world.url}/oauth2/session-binding?session_id=urn:ietf:params:oauth:request_uri:nobody`,
  );
  for (const path of ['/sessions', '/sessions/replay', '/sessions/nobody'])
    await alice.request(`${world.url}${path}`);
  await alice.request(`${world.url}/sessions/replay`, { method: 'DELETE' });
}

async function callsOf(world: World): Promise<Readonly<Record<RoleName, readonly AwsCall[]>>> {
  const { s3, bedrock, agentCoreIdentity } = world.stack;
  const answered = agentCoreIdentity.calls.filter(({ status }) => status === 200);
  const all: readonly AwsCall[] = [...s3.calls, ...bedrock.calls, ...answered];
  await world.close();
  return {
    agent: all.filter(({ accessKeyId }) => accessKeyId === ACCESS_KEYS.agent),
    'session-binding': all.filter(({ accessKeyId }) => accessKeyId === ACCESS_KEYS['session-binding']),
  };
}

const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111122223333:root' },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
};

async function isAllowed(policy: PolicyDocument, request: IamRequest): Promise<boolean> {
  const account = '111122223333';
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${account}:role/task`,
        action: request.action,
        resource: { resource: request.resource, accountId: account },
        contextVariables: { ...request.context },
      },
      identityPolicies: [{ name: 'task', policy }],
      serviceControlPolicies: [],
      // The key lets the policies of its account decide, like every key of ours.
      ...(request.action.startsWith('kms:') && { resourcePolicy: KEY_POLICY }),
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify([request, result.errors]));
  return result.overallResult === 'Allowed';
}

/** The policies of the task roles from the template, for an existing bucket and key. */
function synthesised(given: Deployment): Readonly<Record<RoleName, PolicyDocument>> {
  const { agent } = createDeployment(given, { analyticsReporting: false });
  const policies = Template.fromStack(agent).findResources('AWS::IAM::Policy') as Readonly<
    Record<string, { readonly Properties: { readonly PolicyDocument: PolicyDocument } }>
  >;
  const of = (task: string): PolicyDocument => {
    const found = Object.entries(policies).find(([id]) => id.startsWith(`${task}TaskTaskRole`));
    return plain(found?.[1].Properties.PolicyDocument) as PolicyDocument;
  };
  return { agent: of('Agent'), 'session-binding': of('SessionBinding') };
}

const keyOf = ({ action, resource, context }: IamRequest): string =>
  JSON.stringify([action, resource, context]);
const unique = (requests: readonly IamRequest[]): readonly IamRequest[] => [
  ...new Map(requests.map((request) => [keyOf(request), request])).values(),
];
const actionsIn = ({ Statement }: PolicyDocument): readonly string[] =>
  [...new Set(Statement.flatMap((each) => (each as { readonly Action: string | string[] }).Action))].sort();
const examples = globSync('infra/deployments/example*.json');
const given = (file: string, change: object = {}): Deployment => {
  const text = JSON.parse(readFileSync(file, 'utf8')) as { readonly region: string };
  const sessions = { bucketName: BUCKET, keyArn: keyArnIn(text.region) };
  return parseDeployment({ ...text, sessions, ...change }, file);
};

describe("the roles' AWS calls, played on the local stack", () => {
  let calls: Readonly<Record<RoleName, readonly AwsCall[]>>;

  beforeAll(async () => {
    const world = await World.start();
    await playEverything(world);
    calls = await callsOf(world);
  }, 60_000);

  const requests = (role: RoleName, deployment: Deployment): readonly IamRequest[] =>
    unique(calls[role].flatMap((call) => requestsOf(call, deployment)));

  it('are of every kind: tokens and their completion, the model, all operations in the bucket', () => {
    const actions = (role: RoleName): readonly string[] =>
      [...new Set(calls[role].map(({ action }) => action))].sort();
    expect(actions('agent')).toEqual([
      'bedrock-agentcore:GetResourceOauth2Token',
      'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
      'bedrock:InvokeModelWithResponseStream',
      's3:DeleteObject',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
    ]);
    expect(actions('session-binding')).toEqual([
      'bedrock-agentcore:CompleteResourceTokenAuth',
      's3:GetObject',
      's3:PutObject',
    ]);
  });

  describe.each(examples)('under the policies of %s', (file) => {
    it.each(ROLES)('are allowed to the role %s that makes them', async (role) => {
      const deployment = given(file);
      const policy = synthesised(deployment)[role];
      const denied = [];
      for (const request of requests(role, deployment))
        if (!(await isAllowed(policy, request))) denied.push(request);
      expect(denied).toEqual([]);
    });

    it.each(ROLES)('are denied to the other role if only %s makes them', async (role) => {
      const deployment = given(file);
      const policy = synthesised(deployment)[other(role)];
      const own = new Set(requests(other(role), deployment).map(keyOf));
      const theirs = requests(role, deployment).filter((request) => !own.has(keyOf(request)));
      expect(theirs.length).toBeGreaterThan(3);
      const allowed = [];
      for (const request of theirs) if (await isAllowed(policy, request)) allowed.push(request);
      // Both roles write the flow ledger: the agent adds a flow, and session binding writes its later states. The agent reads
      // whether a flow is bound. Both add receipts.
      const shared = ({ action, resource }: IamRequest): boolean =>
        resource.includes('/flows/') || (action === 's3:PutObject' && resource.includes('/receipts/'));
      expect(allowed.filter((request) => !shared(request))).toEqual([]);
    });

    it.each(ROLES)('are denied to the role %s on every foreign resource', async (role) => {
      const deployment = given(file);
      const policy = synthesised(deployment)[role];
      const foreign = unique(requests(role, deployment).flatMap(ofAnother));
      expect(foreign.length).toBeGreaterThan(5);
      const allowed = [];
      for (const request of foreign) if (await isAllowed(policy, request)) allowed.push(request);
      expect(allowed).toEqual([]);
    });

    it.each(ROLES)('need every action that the role %s is granted', (role) => {
      const deployment = given(file);
      const needed = [...new Set(requests(role, deployment).map(({ action }) => action))].sort();
      expect(actionsIn(synthesised(deployment)[role])).toEqual(needed);
    });

    it('are the same in the documents for Kubernetes and Lambda as in the template', () => {
      const deployment = given(file);
      const sorted = (policy: PolicyDocument): string[] =>
        policy.Statement.map((statement) => JSON.stringify(normalised(statement))).sort();
      const documents = policyDocuments(deployment, {
        bucketName: BUCKET,
        keyArn: keyArnIn(deployment.region),
      });
      for (const role of ROLES)
        expect(sorted(documents[role])).toEqual(sorted(synthesised(deployment)[role]));
    });
  });

  const [example = ''] = examples;
  it('show a missing object only to the agent, which may list without a condition', async () => {
    const policies = synthesised(given(example));
    expect(await isAllowed(policies.agent, listingFor())).toBe(true);
    expect(await isAllowed(policies['session-binding'], listingFor())).toBe(false);
  });

  it('give session binding no access to conversations, and let it read no receipts', async () => {
    const policies = synthesised(given(example));
    const read = (key: string): IamRequest => ({
      action: 's3:GetObject',
      resource: `arn:aws:s3:::${BUCKET}/${key}`,
      context: {},
    });
    expect(await isAllowed(policies['session-binding'], read('users/YQ/sessions/one/working-set.json'))).toBe(
      false,
    );
    expect(await isAllowed(policies['session-binding'], read('receipts/YQ/0'))).toBe(false);
    expect(await isAllowed(policies.agent, read('receipts/YQ/0'))).toBe(true);
  });

  it.each([
    [
      'a global profile',
      {
        inferenceProfileId: 'global.anthropic.claude-x-v1:0',
        foundationModelId: 'anthropic.claude-x-v1:0',
        regions: ['eu-central-1', 'us-east-1'],
      },
    ],
    [
      'an application inference profile',
      {
        inferenceProfileId: 'arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/a1b2c3',
        foundationModelId: 'anthropic.claude-x-v1:0',
        regions: ['eu-central-1'],
      },
    ],
  ])('reach the model by %s, and no other way', async (_name, model) => {
    const deployment = given(example, { model });
    const { agent } = synthesised(deployment);
    const denied: IamRequest[] = [];
    for (const request of requests('agent', deployment))
      if (!(await isAllowed(agent, request))) denied.push(request);
    expect(denied).toEqual([]);
    const direct = {
      action: 'bedrock:InvokeModelWithResponseStream',
      resource: `arn:aws:bedrock:eu-central-1::foundation-model/${model.foundationModelId}`,
      context: {},
    };
    expect(await isAllowed(agent, direct)).toBe(false);
  });
});

describe('with the identity provider’s own tokens', () => {
  let issuer: TestIssuer;
  afterAll(() => issuer.close());

  it('the agent may identify users only by these tokens', async () => {
    issuer = await startIssuer();
    const world = await World.start(
      { trustedIssuers: [issuer] },
      { environment: { WORKLOAD_TOKEN_SOURCE: 'jwt' } },
    );
    const headers = {
      'x-amzn-oidc-data': tokenOf(world.stack),
      'x-amzn-oidc-accesstoken': await issuer.token('alice'),
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ sessionId: 'jwt', message: 'Who am I on GitHub?' });
    await (await fetch(`${world.roles.agent.url}/invocations`, { method: 'POST', headers, body })).text();
    const { agent } = await callsOf(world);
    const made = [...new Set(agent.map(({ action }) => action))].filter((action) =>
      action.includes('WorkloadAccessToken'),
    );
    expect(made).toEqual(['bedrock-agentcore:GetWorkloadAccessTokenForJWT']);
    const policy = synthesised(given(examples[0] ?? '', { workloadTokenSource: 'jwt' })).agent;
    expect(actionsIn(policy).filter((action) => action.includes('WorkloadAccessToken'))).toEqual(made);
  }, 60_000);
});

/** Returns one action or resource as a list, and sorts lists. */
function normalised(statement: unknown): unknown {
  return Object.fromEntries(
    Object.entries(statement as object)
      .map(
        ([name, value]) =>
          [
            name,
            name === 'Action' || name === 'Resource' ? [value as unknown].flat().sort() : (value as unknown),
          ] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
