import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { RULES as LOCAL_RULES } from '../../local/load-balancer/rules.ts';
import { loadConfig } from '../../src/config/load-config.js';
import { monthAtRest, PRICES, tableOf, thousandTurns, type Resources } from '../cost/cost.ts';
import { createDeployment, findingsIn } from '../lib/app.ts';
import { parseDeployment } from '../lib/deployment.ts';
import { oidcEndpoints } from '../lib/oidc.ts';
import { RULES } from '../lib/edge.ts';
import { GITHUB, agentOf, exampleDeployment, exampleText, OIDC as oidc } from './support.ts';

describe('the description of a deployment', () => {
  it.each([
    [
      'entra',
      { kind: 'entra', tenantId: '3d7e0c8a-0b5f-4c3e-9a53-6f1d2f8f1c11' },
      'https://login.microsoftonline.com/3d7e0c8a-0b5f-4c3e-9a53-6f1d2f8f1c11/v2.0',
    ],
    [
      'cognito',
      { kind: 'cognito', userPoolId: 'eu-central-1_abc', domain: 'x.auth.eu-central-1.amazoncognito.com' },
      'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc',
    ],
    ['okta', { kind: 'okta', domain: 'dev.okta.com' }, 'https://dev.okta.com/oauth2/default'],
    [
      'custom',
      {
        kind: 'custom',
        issuer: 'https://a.example',
        authorizationEndpoint: 'https://a.example/a',
        tokenEndpoint: 'https://a.example/t',
        userInfoEndpoint: 'https://a.example/u',
      },
      'https://a.example',
    ],
  ])('knows the endpoints of %s', (_name, provider, issuer) => {
    const endpoints = oidcEndpoints(exampleDeployment({ oidc: { ...oidc, provider } }));
    expect(endpoints.issuer).toBe(issuer);
    for (const url of Object.values(endpoints)) expect(url).toMatch(/^https:\/\//);
  });

  it.each([
    ['an unknown member', { extra: 1 }, /extra: there is no such member/],
    ['an invalid account', { account: '1' }, /account/],
    ['neither zone nor certificate', { domain: { name: 'a.example.com' } }, /hostedZone or certificateArn/],
    ['a bucket without its key', { sessions: { bucketName: 'mine' } }, /bucketName and keyArn/],
    [
      'a minimum of tasks above the maximum',
      { agent: { cpu: 256, memoryMiB: 512, minimum: 3, maximum: 2 } },
      /maximum/,
    ],
    [
      'a secret instead of its name',
      { providers: [{ id: 'github', clientId: 'x', clientSecret: 'x' }] },
      /clientSecret/,
    ],
    [
      'http endpoints',
      {
        oidc: {
          ...oidc,
          provider: {
            kind: 'custom',
            issuer: 'http://a',
            authorizationEndpoint: 'http://a',
            tokenEndpoint: 'http://a',
            userInfoEndpoint: 'http://a',
          },
        },
      },
      /issuer/,
    ],
  ])('is refused with %s, by name', (_name, change, message) => {
    expect(() => parseDeployment({ ...exampleText(), ...change }, 'file')).toThrow(message);
  });
});

describe('existing resources', () => {
  it('a VPC is used unchanged: no new network, no endpoints', () => {
    const template = agentOf({
      network: {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['eu-central-1a', 'eu-central-1b'],
        publicSubnetIds: ['subnet-11111111111111111', 'subnet-22222222222222222'],
        privateSubnetIds: ['subnet-33333333333333333', 'subnet-44444444444444444'],
      },
    });
    template.resourceCountIs('AWS::EC2::VPC', 0);
    template.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
    template.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          Subnets: ['subnet-33333333333333333', 'subnet-44444444444444444'],
          AssignPublicIp: 'DISABLED',
        },
      },
    });
  });

  it('a certificate is used, and no zone is changed', () => {
    const certificateArn =
      'arn:aws:acm:eu-central-1:111122223333:certificate/0f7a3b1e-5d1c-4b7e-9a51-0c6f2d7e8a90';
    const template = agentOf({ domain: { name: 'a.example.com', certificateArn } });
    template.resourceCountIs('AWS::CertificateManager::Certificate', 0);
    template.resourceCountIs('AWS::Route53::RecordSet', 0);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Certificates: [{ CertificateArn: certificateArn }],
    });
  });

  it('a bucket and its key are used, and the agent gets no other permission for them', () => {
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/0f7a3b1e-5d1c-4b7e-9a51-0c6f2d7e8a90';
    const template = agentOf({ sessions: { bucketName: 'my-sessions', keyArn } });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Sid: 'StoreKey', Resource: keyArn })]),
      },
    });
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        Match.objectLike({
          Environment: Match.arrayWith([{ Name: 'S3_BUCKET_NAME', Value: 'my-sessions' }]),
        }),
      ],
    });
  });

  it('a new version of the client secret changes the template, so that CloudFormation uses it', () => {
    const { oidc: given } = exampleText() as { oidc: object };
    const clientSecretVersionId = '0f7a3b1e-5d1c-4b7e-9a51-0c6f2d7e8a90';
    const text = JSON.stringify(agentOf({ oidc: { ...given, clientSecretVersionId } }).toJSON());
    expect(text).toContain(clientSecretVersionId);
  });

  it('the numbers of tasks can be given alone, and the rest stays unchanged', () => {
    const { agent } = exampleDeployment({ agent: { minimum: 1 } });
    expect(agent).toEqual({
      cpu: 1024,
      memoryMiB: 2048,
      minimum: 1,
      maximum: 20,
      runsPerTask: 100,
      runMinutes: 15,
    });
  });

  it('a budget is created on request', () => {
    agentOf({}).resourceCountIs('AWS::Budgets::Budget', 0);
    agentOf({ monthlyBudgetUsd: 500 }).hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetLimit: { Amount: 500, Unit: 'USD' } },
    });
  });

  it('AgentCore Identity may be in another region', () => {
    const { identity, agent } = createDeployment(exampleDeployment({ identityRegion: 'us-west-2' }), {
      analyticsReporting: false,
    });
    expect(identity.region).toBe('us-west-2');
    expect(agent.region).toBe('eu-central-1');
    Template.fromStack(agent).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Sid: 'CompleteAuthorizations',
            Resource: Match.arrayWith([
              {
                'Fn::Join': [
                  '',
                  [
                    'arn:',
                    { Ref: 'AWS::Partition' },
                    ':bedrock-agentcore:us-west-2:111122223333:workload-identity-directory/default',
                  ],
                ],
              },
            ]),
          }),
        ]),
      },
    });
  });
});

describe('the examples', () => {
  const files = globSync('infra/deployments/example*.json');

  it('show Entra ID, Cognito and Okta, a new VPC and an existing one', () => {
    const all = files.map((file) => parseDeployment(JSON.parse(readFileSync(file, 'utf8')), file));
    expect(new Set(all.map(({ oidc: { provider } }) => provider.kind))).toEqual(
      new Set(['entra', 'cognito', 'okta']),
    );
    expect(new Set(all.map(({ network }) => 'vpcId' in network))).toEqual(new Set([true, false]));
    expect(new Set(all.map(({ environment }) => environment)).size).toBe(all.length);
  });

  it.each(files)(
    '%s is synthesised without a finding, with an environment that both roles start with',
    (file) => {
      const given = parseDeployment(JSON.parse(readFileSync(file, 'utf8')), file);
      const outdir = mkdtempSync(join(tmpdir(), 'onbehalf-example-'));
      const { app, agent } = createDeployment(given, { analyticsReporting: false, outdir });
      expect(() => app.synth()).not.toThrow();
      // The CDK's own validation only warns; here its warnings count as findings.
      expect(findingsIn(outdir)).toEqual([]);
      const definitions = Template.fromStack(agent).findResources('AWS::ECS::TaskDefinition');
      rmSync(outdir, { recursive: true });
      const roles = Object.values(definitions as Record<string, TaskDefinition>).map(({ Properties }) => {
        const [{ Environment = [], Secrets = [] } = {}] = Properties.ContainerDefinitions;
        const known = Environment.map(({ Name, Value }) => [
          Name,
          typeof Value === 'string' ? Value : valueOf(Name),
        ]);
        const secrets = Secrets.map(({ Name }) => [Name, valueOf(Name)]);
        return loadConfig(Object.fromEntries([...known, ...secrets]) as Record<string, string>, [GITHUB])
          .role;
      });
      expect(roles.toSorted()).toEqual(['agent', 'session-binding']);
    },
    60_000,
  );
});

describe('the command line', () => {
  it("is the CDK's own, of a version that reads what the library writes", () => {
    const output = mkdtempSync(join(tmpdir(), 'onbehalf-cdk-'));
    const parameters = ['infra/deployments/example.json', 'list', '--output', output];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['scripts/run.mjs', 'scripts/infra-cdk.mjs', ...parameters],
      { encoding: 'utf8', env: { ...process.env, CDK_OUTDIR: output } },
    );
    rmSync(output, { recursive: true });
    expect({ status, stdout, stderr }).toMatchObject({
      status: 0,
      stdout: 'OnBehalf-dev-Identity\nOnBehalf-dev-Agent\n',
    });
  }, 60_000);
});

describe('the cost of a deployment', () => {
  const given = exampleDeployment();
  const linesOf = (change: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> => {
    const changed = exampleDeployment(change);
    const { Resources: resources } = agentOf(change).toJSON() as { Resources: Resources };
    return Object.fromEntries(monthAtRest(resources, changed).map(({ what, usd }) => [what, usd]));
  };

  it('matches docs/deploy.md for the current template', () => {
    const { Resources: resources } = agentOf({}).toJSON() as { Resources: Resources };
    const document = readFileSync('docs/deploy.md', 'utf8');
    expect(document).toContain(tableOf(monthAtRest(resources, given)));
    expect(document).toMatch(/<!-- cost of 1,000 turns -->\n\| what [^]*\| \*\*together\*\* /);
  });

  it('follows the template: a third zone, more tasks, an existing VPC', () => {
    const here = linesOf({});
    const availabilityZones = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'];
    const three = linesOf({ network: { cidr: '10.0.0.0/16', availabilityZones } });
    expect((three['NAT gateways'] ?? 0) / (here['NAT gateways'] ?? 1)).toBeCloseTo(1.5);
    expect((three['Interface endpoints'] ?? 0) / (here['Interface endpoints'] ?? 1)).toBeCloseTo(1.5);
    const network = {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-central-1a', 'eu-central-1b'],
      publicSubnetIds: ['subnet-11111111111111111', 'subnet-22222222222222222'],
      privateSubnetIds: ['subnet-33333333333333333', 'subnet-44444444444444444'],
    };
    const there = linesOf({ network });
    expect(there['NAT gateways']).toBe(0);
    expect(there['Interface endpoints']).toBe(0);
  });

  it('counts the calls of a turn, and names the source of each price', () => {
    const turn = { modelCalls: 2, s3Puts: 4, s3Gets: 1, identityTokens: 1, logBytes: 2 ** 20 };
    const lines = thousandTurns(turn);
    const { input, output } = PRICES.assumedTokensPerModelCall;
    const model =
      2000 * ((input * PRICES.perMillionTokens.input + output * PRICES.perMillionTokens.output) / 1e6);
    expect(lines.map(({ usd }) => usd)).toEqual([
      expect.closeTo(model),
      expect.closeTo(4 * PRICES.perThousand.s3Put + PRICES.perThousand.s3Get, 6),
      expect.closeTo(PRICES.perThousand.agentCoreIdentityToken, 6),
      expect.closeTo((1000 / 1024) * PRICES.perGb.logs, 6),
    ]);
    for (const { source } of lines) expect(source).toMatch(/^https:\/\/aws\.amazon\.com\/.+\/pricing\/$/);
  });
});

interface TaskDefinition {
  readonly Properties: {
    readonly ContainerDefinitions: readonly {
      readonly Environment?: readonly { readonly Name: string; readonly Value: unknown }[];
      readonly Secrets?: readonly { readonly Name: string }[];
    }[];
  };
}

/** The values that CloudFormation fills in. */
function valueOf(name: string): string {
  const known: Readonly<Record<string, string>> = {
    ALB_ARN:
      'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/onbehalf/50dc6c495c0c9188',
    FLOW_SECRET: 'a-secret-that-is-long-enough-0123456789',
    FLOW_SECRET_ACCEPTED: 'another-secret-that-is-long-enough-0123456789',
    S3_BUCKET_NAME: 'a-bucket',
  };
  return known[name] ?? '';
}

describe('the rules of the load balancer', () => {
  const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'];
  const PATHS = [
    ...[
      '/',
      '/docs',
      '/docs/',
      '/docs/x.js',
      '/docsx',
      '/openapi.json',
      '/openapi',
      '/ping',
      '/ready',
      '/favicon.ico',
    ],
    ...[
      '/invocations',
      '/invocations/',
      '/invocations/x',
      '/runs/',
      '/runs/a/events',
      '/runs/a/stop',
      '/usage',
      '/me',
      '/me/x',
      '/connections',
      '/connections/github',
      '/assets',
      '/assets/index.js',
      '/sessions',
      '/sessions/',
      '/sessions/a',
      '/sessions/a/b',
    ],
    ...['/oauth2/connect', '/oauth2/connect/', '/oauth2/x'],
    ...[
      '/oauth2/session-binding',
      '/oauth2/session-binding/',
      '/OAUTH2/connect',
      '/Docs',
      '//docs',
      '/x/docs',
    ],
  ];

  it('decide as on a laptop, for every path and method', () => {
    const decide = <R extends { readonly methods?: readonly string[]; readonly target: string }>(
      rules: readonly R[],
      matches: (rule: R, path: string) => boolean,
      otherwise: (rule: R) => string,
    ): string[] =>
      METHODS.flatMap((method) =>
        PATHS.map((path) => {
          const rule = rules.find((each) => matches(each, path) && (each.methods?.includes(method) ?? true));
          return `${method} ${path} ${rule === undefined ? '404' : `${otherwise(rule)} ${rule.target}`}`;
        }),
      );
    const here = decide(
      RULES,
      ({ paths }, path) => paths.some((pattern) => glob(pattern).test(path)),
      ({ otherwise }) => otherwise,
    );
    const there = decide(
      LOCAL_RULES,
      ({ paths }, path) => paths.some((pattern) => pattern.test(path)),
      ({ action }) => action,
    );
    expect(here).toEqual(there);
    expect(new Set(here.map((line) => line.split(' ').slice(2).join(' ')))).toEqual(
      new Set([
        '404',
        'authenticate agent',
        'deny agent',
        'authenticate session-binding',
        'deny session-binding',
      ]),
    );
  });
});

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html#path-conditions */
function glob(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('.', String.raw`\.`).replaceAll('*', '.*')}$`);
}
