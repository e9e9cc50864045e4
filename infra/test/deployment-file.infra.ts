import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { allVariables } from '../../src/config/variables.js';
import { createDeployment } from '../lib/app.ts';
import { parseDeployment } from '../lib/deployment.ts';
import { describeDeployment } from '../lib/describe-deployment.ts';
import { environmentOf } from '../lib/environment.ts';
import { oidcEndpoints } from '../lib/oidc.ts';
import { GITHUB, agentOf, exampleDeployment, exampleText, OIDC as oidc } from './support.ts';

describe('mistakes', () => {
  const { model } = exampleText() as { model: object };
  const cognito = { kind: 'cognito', domain: 'x.auth.eu-west-1.amazoncognito.com' };
  it.each<[string, object, string]>([
    [
      'a size that Fargate does not have',
      { agent: { cpu: 256, memoryMiB: 4096 } },
      'agent.memoryMiB: Fargate takes 512 to 2048 in steps of 512 with 256 CPU units, and not 4096',
    ],
    [
      'a size between two',
      { sessionBinding: { cpu: 1024, memoryMiB: 2500 } },
      'sessionBinding.memoryMiB: Fargate takes 2048 to 8192 in steps of 1024 with 1024 CPU units, and not 2500',
    ],
    ['another size of CPU', { agent: { cpu: 300 } }, 'agent.cpu: must be 256, 512, 1024, 2048 or 4096'],
    [
      'a zone of another region',
      { network: { availabilityZones: ['eu-central-1a', 'us-east-1a'] } },
      'network.availabilityZones: us-east-1a is not a zone of eu-central-1',
    ],
    [
      'a placeholder zone of a synthesis without credentials',
      { network: { availabilityZones: ['dummy1a', 'dummy1b'] } },
      "must be an availability zone's name, such as eu-central-1a",
    ],
    [
      'an endpoint in a zone that is not listed',
      {
        network: { availabilityZones: ['eu-central-1a', 'eu-central-1b'], agentCoreZones: ['eu-central-1c'] },
      },
      'network.agentCoreZones: eu-central-1c is not among availabilityZones',
    ],
    [
      'a model that is not behind the profile',
      { model: { ...model, foundationModelId: 'anthropic.claude-3' } },
      'model.foundationModelId: does not fit the profile eu.anthropic.claude-sonnet-4-5-20250929-v1:0: write anthropic.claude-sonnet-4-5-20250929-v1:0',
    ],
    [
      'a model instead of a profile',
      { model: { ...model, inferenceProfileId: 'anthropic.claude-3' } },
      'model.inferenceProfileId: must be an inference profile',
    ],
    [
      'a user pool without its region',
      { oidc: { ...oidc, provider: { ...cognito, userPoolId: 'pool' } } },
      "oidc.provider.userPoolId: must be the user pool's id, such as eu-central-1_A1b2C3d4E",
    ],
    [
      'an unknown kind',
      { oidc: { ...oidc, provider: { kind: 'saml' } } },
      'must have a kind: entra, cognito, okta or custom',
    ],
    ['a member of another type', { account: 111122223333 }, 'account: must be of the type string'],
    ['no account', { account: undefined }, 'account: is missing'],
    ['a misspelt member', { loadBalancer: { intern: true } }, 'loadBalancer.intern: there is no such member'],
    [
      'an image without its digest',
      { image: '111122223333.dkr.ecr.eu-central-1.amazonaws.com/onbehalf:1' },
      'image: must be an image in ECR by its digest',
    ],
    [
      'hours that end before they begin',
      { busyHours: { from: 20, to: 8 } },
      'busyHours.to: must be after from',
    ],
    [
      'an existing VPC without its subnets',
      { network: { vpcId: 'vpc-1', availabilityZones: ['eu-central-1a', 'eu-central-1b'] } },
      'network.vpcId: needs availabilityZones, publicSubnetIds and privateSubnetIds beside it',
    ],
    ['an unknown region', { region: 'eu-centrl-1' }, 'region: is not a supported AWS region'],
    ['a region of another partition', { region: 'us-gov-west-1' }, 'region: is not a supported AWS region'],
    [
      'a certificate of another region',
      { domain: { name: 'a.example.com', certificateArn: 'arn:aws:acm:us-east-1:1:certificate/x' } },
      'domain.certificateArn: ',
    ],
    [
      'a zone that does not have the domain',
      { domain: { name: 'a.example.com', hostedZone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.org' } } },
      'domain.hostedZone.name: a.example.com is not in the zone example.org',
    ],
    [
      'a zone twice',
      { network: { availabilityZones: ['eu-central-1a', 'eu-central-1a'] } },
      'network.availabilityZones: names a zone twice',
    ],
    [
      'a VPC that is too small',
      { network: { cidr: '10.0.0.0/24', availabilityZones: ['eu-central-1a', 'eu-central-1b'] } },
      'network.cidr: is too small for 2 zones: write /20 or wider',
    ],
    [
      'an invalid range',
      { network: { cidr: '999.0.0.0/16', availabilityZones: ['eu-central-1a', 'eu-central-1b'] } },
      'network.cidr: must be an IPv4 range',
    ],
    [
      'a profile of another geography',
      { model: { ...model, inferenceProfileId: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' } },
      'model.inferenceProfileId: us. profiles cannot be called from eu-central-1',
    ],
    [
      'a scope without openid',
      { oidc: { ...oidc, provider: { ...cognito, userPoolId: 'eu-central-1_A1b2C3d4E' }, scope: 'email' } },
      'oidc.scope: must contain openid',
    ],
    [
      'more runs than a task takes',
      { agent: { runsPerTask: 2000 } },
      'agent.runsPerTask: must be at most limits.runsPerTask',
    ],
    [
      'an API that is not that of GitHub Enterprise Server',
      {
        providers: [
          { id: 'github', clientId: 'x', clientSecretName: 'x', apiBase: 'https://api.acme.ghe.com' },
        ],
      },
      'providers.0.apiBase: must be https://HOST/api/v3',
    ],
    [
      'a provider without a vendor',
      { providers: [{ id: 'jira', clientId: 'x', clientSecretName: 'x' }] },
      'providers.0.vendor: is needed for every provider but github',
    ],
    [
      'a vendor that AgentCore Identity does not know',
      { providers: [{ id: 'jira', vendor: 'JiraOauth2', clientId: 'x', clientSecretName: 'x' }] },
      'providers.0.vendor: must be one of GithubOauth2, AtlassianOauth2',
    ],
    [
      'a custom vendor without endpoints',
      { providers: [{ id: 'jira', vendor: 'CustomOauth2', clientId: 'x', clientSecretName: 'x' }] },
      'providers.0.endpoints: is needed for the vendor CustomOauth2',
    ],
    [
      'endpoints of a vendor that has its own',
      {
        providers: [
          {
            ...{ id: 'jira', vendor: 'AtlassianOauth2', clientId: 'x', clientSecretName: 'x' },
            endpoints: {
              issuer: 'https://a.example',
              authorizationEndpoint: 'https://a.example/a',
              tokenEndpoint: 'https://a.example/t',
            },
          },
        ],
      },
      'providers.0.endpoints: is only for the vendor CustomOauth2',
    ],
    [
      'a provider twice',
      {
        providers: [
          { id: 'github', clientId: 'x', clientSecretName: 'x' },
          { id: 'github', clientId: 'y', clientSecretName: 'y' },
        ],
      },
      'providers.1.id: occurs twice',
    ],
    ['no provider', { providers: [] }, 'providers: needs at least one provider'],
    ['a tag of AWS', { tags: { 'aws:x': 'y' } }, 'aws:'],
    [
      'a tag that the deployment sets',
      { tags: { environment: 'y' } },
      'tags.environment: is set by the deployment itself',
    ],
    [
      'a port that tasks do not reach',
      { telemetry: { endpoint: 'https://collector.example.com:4318' } },
      'telemetry.endpoint: must be at port 443, because tasks connect to no other one',
    ],
    ['no address', { telemetry: { endpoint: 'collector' } }, 'telemetry.endpoint: must be an https URL'],
    ['a level that stops the scaling', { logLevel: 'warn' }, 'logLevel: must be info, debug or trace'],
  ])('are reported in a sentence that says what to write: %s', (_name, change, sentence) => {
    const text = JSON.parse(JSON.stringify({ ...exampleText(), ...change })) as unknown;
    expect(() => parseDeployment(text, 'file')).toThrow(sentence);
    expect(() => parseDeployment(text, 'file')).not.toThrow(/Invalid input|expected string/);
  });

  it('do not include a Cognito user pool of another region, because its issuer names that region', () => {
    const provider = { ...cognito, userPoolId: 'eu-west-1_abc' };
    const given = exampleDeployment({ oidc: { ...oidc, provider } });
    expect(oidcEndpoints(given).issuer).toBe('https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc');
  });
});

describe('a deployment file', () => {
  it('matches its documentation', () => {
    expect(readFileSync('docs/deployment-file.md', 'utf8')).toBe(describeDeployment());
  });

  it('can set every variable', () => {
    const byDefault = environmentOf(exampleDeployment(), { albArn: 'arn', bucketName: 'bucket' });
    const changed = environmentOf(
      exampleDeployment({
        ...{ environment: 'other', region: 'eu-west-1', identityRegion: 'us-west-2', logLevel: 'debug' },
        domain: { name: 'b.example.com', certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/x' },
        oidc: {
          ...oidc,
          signOutUrl: 'https://out.example',
          provider: { kind: 'okta', domain: 'x.okta.com' },
        },
        workloadTokenSource: 'jwt',
        providers: [
          {
            id: 'github',
            clientId: 'x',
            clientSecretName: 'x',
            apiBase: 'https://ghe.example.com/api/v3',
            endGrants: true,
          },
        ],
        model: { inferenceProfileId: 'eu.a.b', foundationModelId: 'a.b', regions: ['eu-west-1'] },
        network: { availabilityZones: ['eu-west-1a', 'eu-west-1b'] },
        agent: { runMinutes: 5 },
        deadlines: { callSeconds: 5, modelFirstByteSeconds: 100, modelIdleSeconds: 30, graceSeconds: 10 },
        telemetry: { endpoint: 'https://collector.example.com/otlp' },
        limits: {
          runsPerUser: 1,
          runsPerTask: 200,
          requestsPerDay: 2,
          tokensPerDay: 3,
          modelCallsPerRun: 4,
          modelAnswerTokens: 500,
        },
      }),
      { albArn: 'another', bucketName: 'another' },
    );
    const said = Object.entries(changed.agent).filter(([name, value]) => byDefault.agent[name] !== value);
    /** Variables that the stack sets itself, or that are useful only on other platforms. */
    const notOfTheFile = {
      ROLE: 'each service has its own',
      PORT: 'always 8080',
      HOST: 'all addresses of the task',
      SESSION_BINDING_URL: 'always PUBLIC_URL and its path',
      ALB_PUBLIC_KEYS_URL: 'always that of the region',
      GITHUB_CLIENT_SECRET: 'a secret that the file names, for session binding alone',
      FLOW_SECRET: 'a secret that the stack makes',
      FLOW_SECRET_ACCEPTED: 'a secret that the stack makes',
      AUTHORIZATION_ORIGIN: "always AgentCore Identity's own",
      SIGN_IN: 'always alb behind a load balancer',
      BEARER_AUDIENCE: 'useful only without a load balancer',
      OTEL_SERVICE_NAME: 'always onbehalf- and the role',
      OTEL_RESOURCE_ATTRIBUTES: 'a collector adds what is of the account',
    };
    expect([...said.map(([name]) => name), ...Object.keys(notOfTheFile)].sort()).toEqual(
      Object.keys(allVariables([GITHUB])).sort(),
    );
  });

  it('can close the network, tag all resources and name the tested image', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const template = agentOf({
      image: `111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/onbehalf@${digest}`,
      tags: { costCentre: '4711' },
      loadBalancer: { internal: true, sourceCidrs: ['10.0.0.0/8'], deletionProtection: true },
      network: {
        availabilityZones: ['eu-central-1a', 'eu-central-1b'],
        agentCoreZones: ['eu-central-1a'],
        egress: { cidrs: ['140.82.112.0/20'], s3PrefixListId: 'pl-6ea54007' },
      },
      sessions: { keepDays: 90 },
      monthlyBudgetUsd: 500,
    });
    const text = JSON.stringify(template.toJSON());
    expect(text).toContain(`/team/onbehalf@${digest}`);
    const groups = Object.entries(template.findResources('AWS::EC2::SecurityGroup')) as [
      string,
      { readonly Properties: Readonly<Record<string, unknown>> },
    ][];
    for (const [id, { Properties }] of groups) {
      const { SecurityGroupIngress: ways = [], SecurityGroupEgress: out = [] } = Properties;
      expect(JSON.stringify(ways)).not.toContain('0.0.0.0/0');
      // The other groups belong to the load balancer, which must reach the identity provider, and to the endpoints, which
      // connect to nothing.
      if (/^(Agent|SessionBinding)Group/.test(id)) expect(JSON.stringify(out)).not.toContain('0.0.0.0/0');
    }
    for (const range of ['10.0.0.0/8', '140.82.112.0/20', 'pl-6ea54007']) expect(text).toContain(range);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      Scheme: 'internal',
      Tags: Match.arrayWith([{ Key: 'costCentre', Value: '4711' }]),
    });
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([
          Match.objectLike({ Prefix: 'flows/', ExpirationInDays: 1 }),
          Match.objectLike({ Prefix: 'tasks/', ExpirationInDays: 1 }),
          Match.objectLike({ Prefix: 'users/', ExpirationInDays: 90 }),
        ]),
      },
    });
    template.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: Match.objectLike({
        CostFilters: { TagKeyValue: ['user:application$onbehalf', 'user:environment$dev'] },
      }),
    });
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', {
      ServiceName: 'com.amazonaws.eu-central-1.bedrock-agentcore',
      SubnetIds: [Match.anyValue()],
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Action: Match.arrayWith(['bedrock-agentcore:CompleteResourceTokenAuth']),
            Condition: { StringEquals: { 'aws:PrincipalAccount': '111122223333' } },
          }),
        ],
      },
    });
  });

  it('can raise an alarm when nobody signs in', () => {
    const template = agentOf({ busyHours: { from: 8, to: 17 } });
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm'));
    const quiet = alarms.map((each) => JSON.stringify(each)).find((each) => each.includes('DAY('));
    expect(quiet).toContain(
      'IF(DAY(signIns) <= 5 AND HOUR(signIns) >= 8 AND HOUR(signIns) < 17, FILL(signIns, 0), 1)',
    );
    expect(quiet).toContain('"ComparisonOperator":"LessThanThreshold"');
  });

  it('can let the roles use the key of the provider’s secret', () => {
    const clientSecretKeyArn =
      'arn:aws:kms:eu-central-1:111122223333:key/0f7a3b1e-5d1c-4b7e-9a51-0c6f2d7e8a90';
    const template = agentOf({
      providers: [{ id: 'github', clientId: 'x', clientSecretName: 'x', clientSecretKeyArn }],
    });
    const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    expect(policies.split('"ProviderClientSecretKey"')).toHaveLength(3);
    expect(policies).toContain('secretsmanager.eu-central-1.amazonaws.com');
  });
});

describe('a further provider', () => {
  const [, entry = ''] = /```json\n([^]*?)```/.exec(readFileSync('docs/extending.md', 'utf8')) ?? [];
  const providers = [...(exampleText().providers as object[]), JSON.parse(entry) as object];
  const given = exampleDeployment({ providers });
  const { identity, agent } = createDeployment(given, { analyticsReporting: false });

  it('is one entry of the file: the identity stack registers its client', () => {
    Template.fromStack(identity).hasResourceProperties('AWS::BedrockAgentCore::OAuth2CredentialProvider', {
      Name: 'onbehalf-dev-jira',
      CredentialProviderVendor: 'AtlassianOauth2',
      Oauth2ProviderConfigInput: {
        AtlassianOauth2ProviderConfig: {
          ClientId: '0A1b2C3d4E',
          ClientSecretConfig: { SecretId: 'onbehalf/jira', JsonKey: 'clientSecret' },
        },
      },
    });
    Template.fromStack(identity).hasOutput('JiraCallbackUrl', {});
    Template.fromStack(identity).hasOutput('GitHubCallbackUrl', {});
  });

  it('is offered by the agent role, and by no other', () => {
    const { agent: ofAgent, sessionBinding } = environmentOf(given, { albArn: 'arn', bucketName: 'b' });
    expect(ofAgent).toMatchObject({
      GITHUB_PROVIDER_NAME: 'onbehalf-dev-github',
      JIRA_PROVIDER_NAME: 'onbehalf-dev-jira',
      JIRA_API_BASE: 'https://api.atlassian.com/ex/jira/0f7a3b1e-5d1c-4b7e-9a51-0c6f2d7e8a90',
    });
    expect(Object.keys(sessionBinding).filter((name) => name.startsWith('JIRA'))).toEqual([]);
  });

  it('is in the policies of both roles, with its secret', () => {
    const policies = JSON.stringify(Template.fromStack(agent).findResources('AWS::IAM::Policy'));
    expect(policies.split('oauth2credentialprovider/onbehalf-dev-jira')).toHaveLength(3);
    expect(policies.split('secret:onbehalf/jira-??????')).toHaveLength(3);
  });
});
