import { describe, expect, it } from '@jest/globals';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { createDeployment } from '../lib/app.ts';
import { oidcEndpoints, parseDeployment } from '../lib/deployment.ts';
import { exampleDeployment, exampleText } from './support.ts';

const oidc = { clientId: 'client', clientSecretName: 'secret' };
const agentOf = (change: Readonly<Record<string, unknown>>): Template =>
  Template.fromStack(createDeployment(exampleDeployment(change), { analyticsReporting: false }).agent);

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
    ['an unknown member', { extra: 1 }, /the whole/],
    ['an account that is none', { account: '1' }, /account/],
    ['neither zone nor certificate', { domain: { name: 'a.example.com' } }, /hostedZone or certificateArn/],
    ['a bucket without its key', { sessions: { bucketName: 'mine' } }, /bucketName and keyArn/],
    [
      'more tasks at least than at most',
      { agent: { cpu: 256, memoryMiB: 512, minimum: 3, maximum: 2 } },
      /maximum/,
    ],
    ['a secret instead of its name', { github: { clientId: 'x', clientSecret: 'x' } }, /github/],
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

describe('what is brought along', () => {
  it('a VPC is used as it is: no network of ours, no endpoints', () => {
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

  it('a certificate is used, and no zone is touched', () => {
    const certificateArn =
      'arn:aws:acm:eu-central-1:111122223333:certificate/0f7a3b1e-5d1c-4b7e-9a51-0c6f2d7e8a90';
    const template = agentOf({ domain: { name: 'a.example.com', certificateArn } });
    template.resourceCountIs('AWS::CertificateManager::Certificate', 0);
    template.resourceCountIs('AWS::Route53::RecordSet', 0);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Certificates: [{ CertificateArn: certificateArn }],
    });
  });

  it('a bucket and its key are used, and the agent may touch nothing else of theirs', () => {
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/0f7a3b1e-5d1c-4b7e-9a51-0c6f2d7e8a90';
    const template = agentOf({ sessions: { bucketName: 'my-sessions', keyArn } });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Sid: 'ConversationsKey', Resource: keyArn })]),
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

  it('a budget is made when it is asked for', () => {
    agentOf({}).resourceCountIs('AWS::Budgets::Budget', 0);
    agentOf({ monthlyBudgetUsd: 500 }).hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetLimit: { Amount: 500, Unit: 'USD' } },
    });
  });

  it('AgentCore Identity may be in another region', () => {
    const { identity, agent } = createDeployment(exampleDeployment({ identityRegion: 'us-west-2' }), {
      analyticsReporting: false,
    });
    expect([identity.region, agent.region]).toEqual(['us-west-2', 'eu-central-1']);
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
