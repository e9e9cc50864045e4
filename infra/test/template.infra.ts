import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { createDeployment } from '../lib/app.ts';
import { acknowledgements } from '../lib/acknowledgements.ts';
import { agentOf, exampleDeployment, exampleTemplates } from './support.ts';

describe('the deployment', () => {
  const { template, identity, text, ofType } = exampleTemplates();
  it('is synthesised without a finding of the AWS solution checks', () => {
    const { app } = createDeployment(exampleDeployment(), { analyticsReporting: false });
    expect(() => app.synth()).not.toThrow();
  }, 60_000);

  it('has findings without the acknowledgements, each of which names one finding and its reason', () => {
    const outdir = mkdtempSync(join(tmpdir(), 'onbehalf-synth-'));
    try {
      const { app, agent } = createDeployment(
        exampleDeployment(),
        { analyticsReporting: false, outdir },
        false,
      );
      expect(() => app.synth()).toThrow('AwsSolutions');
      const found = readFileSync(join(outdir, 'validation-report.json'), 'utf8');
      const all = acknowledgements(agent, exampleDeployment());
      for (const { id, reason } of all) {
        expect(found).toContain(JSON.stringify(id.replace('AwsSolutions::', '')).slice(1, -1));
        expect(reason).toMatch(/^.{30,}\.$/);
      }
    } finally {
      rmSync(outdir, { recursive: true });
    }
  }, 60_000);

  describe('at the load balancer', () => {
    it('lets nobody in without a sign-in: every rule authenticates or denies, and other requests get 404', () => {
      const rules = ofType('AWS::ElasticLoadBalancingV2::ListenerRule').map(
        ([, properties]) =>
          properties.Actions as {
            Type: string;
            Order: number;
            AuthenticateOidcConfig?: { OnUnauthenticatedRequest: string };
          }[],
      );
      expect(rules).toHaveLength(5);
      for (const actions of rules) {
        expect(actions.map(({ Type }) => Type)).toEqual(['authenticate-oidc', 'forward']);
        expect(['authenticate', 'deny']).toContain(
          actions[0]?.AuthenticateOidcConfig?.OnUnauthenticatedRequest,
        );
      }
      expect(text).not.toContain('"OnUnauthenticatedRequest":"allow"');
      template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
        Port: 443,
        DefaultActions: [
          Match.objectLike({
            Type: 'fixed-response',
            FixedResponseConfig: Match.objectLike({ StatusCode: '404' }),
          }),
        ],
      });
    });

    it('denies on API routes, and signs browsers in on pages', () => {
      const decisions = ofType('AWS::ElasticLoadBalancingV2::ListenerRule').flatMap(
        ([, { Conditions, Actions }]) => {
          const conditions = Conditions as {
            Field: string;
            PathPatternConfig?: { Values: string[] };
            HttpRequestMethodConfig?: { Values: string[] };
          }[];
          const [first] = Actions as { AuthenticateOidcConfig: { OnUnauthenticatedRequest: string } }[];
          const methods =
            conditions
              .find(({ Field }) => Field === 'http-request-method')
              ?.HttpRequestMethodConfig?.Values.join() ?? 'any';
          const paths =
            conditions.find(({ Field }) => Field === 'path-pattern')?.PathPatternConfig?.Values ?? [];
          return paths.map(
            (path) => `${methods} ${path} ${first?.AuthenticateOidcConfig.OnUnauthenticatedRequest ?? ''}`,
          );
        },
      );
      expect(decisions.sort()).toEqual([
        'GET / authenticate',
        'GET /assets/* authenticate',
        'GET /docs authenticate',
        'GET /docs/* authenticate',
        'GET /oauth2/connect authenticate',
        'GET /oauth2/session-binding authenticate',
        'GET /sign-out authenticate',
        'any /connections deny',
        'any /connections/* deny',
        'any /invocations deny',
        'any /me deny',
        'any /oauth2/connect deny',
        'any /oauth2/revocation deny',
        'any /openapi.json deny',
        'any /receipts deny',
        'any /runs/* deny',
        'any /sessions deny',
        'any /sessions/* deny',
        'any /sign-out deny',
        'any /usage deny',
      ]);
    });

    it('takes TLS 1.2 with forward secrecy or 1.3, redirects the rest, and refuses ambiguous requests', () => {
      template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
        Port: 443,
        SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-2021-06',
      });
      template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
        Port: 80,
        DefaultActions: [Match.objectLike({ Type: 'redirect' })],
      });
      const attributes = Object.fromEntries(
        (
          ofType('AWS::ElasticLoadBalancingV2::LoadBalancer')[0]?.[1].LoadBalancerAttributes as {
            Key: string;
            Value: unknown;
          }[]
        ).map(({ Key, Value }) => [Key, Value]),
      );
      expect(attributes).toMatchObject({
        'deletion_protection.enabled': 'false',
        'routing.http.drop_invalid_header_fields.enabled': 'true',
        'routing.http.desync_mitigation_mode': 'strictest',
        'access_logs.s3.enabled': 'true',
        'idle_timeout.timeout_seconds': '60',
      });
    });

    it('has a firewall with managed rules and a rate, and an alias', () => {
      template.hasResourceProperties('AWS::WAFv2::WebACL', {
        // CloudWatch has the name in the dimension WebACL; some users saw the name of the metrics there.
        Name: 'onbehalf-dev',
        VisibilityConfig: { MetricName: 'onbehalf-dev', SampledRequestsEnabled: true },
        DataProtectionConfig: {
          DataProtections: [
            Match.objectLike({ Field: Match.objectLike({ FieldType: 'SINGLE_HEADER' }) }),
            Match.objectLike({ Field: { FieldType: 'QUERY_STRING' } }),
          ],
        },
        Rules: Match.arrayWith([
          Match.objectLike({ Name: 'RateOfSession', Action: { Block: {} } }),
          Match.objectLike({ Name: 'RateOfAddress', Action: { Block: {} } }),
          Match.objectLike({ Name: 'AWSManagedRulesCommonRuleSet' }),
        ]),
      });
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        Namespace: 'AWS/WAFV2',
        Dimensions: Match.arrayWith([{ Name: 'WebACL', Value: 'onbehalf-dev' }]),
      });
      template.resourceCountIs('AWS::WAFv2::WebACLAssociation', 1);
      template.hasResourceProperties('AWS::Route53::RecordSet', { Name: 'agent.example.com.', Type: 'A' });
    });
  });

  describe('the tasks', () => {
    it('have no public address, and are reached from the load balancer alone', () => {
      for (const [, properties] of ofType('AWS::ECS::Service')) {
        expect(properties).toMatchObject({
          NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
        });
      }
      const groups = Object.fromEntries(
        ofType('AWS::EC2::SecurityGroup').map(([id, properties]) => [id, properties]),
      );
      const open = Object.entries(groups).filter(([, { SecurityGroupIngress = [] }]) =>
        JSON.stringify(SecurityGroupIngress).includes('0.0.0.0/0'),
      );
      expect(open.map(([id]) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual(['FrontGroup']);
      const toTasks = ofType('AWS::EC2::SecurityGroupIngress').filter(([, { GroupId }]) =>
        /AgentGroup|SessionBindingGroup/.test(JSON.stringify(GroupId)),
      );
      expect(toTasks).toHaveLength(2);
      for (const [, { FromPort, ToPort, SourceSecurityGroupId }] of toTasks) {
        expect(FromPort).toBe(8080);
        expect(ToPort).toBe(8080);
        expect(JSON.stringify(SourceSecurityGroupId)).toContain('FrontGroup');
      }
    });

    it('are one image, and differ in role, environment, permissions and size only', () => {
      const definitions = ofType('AWS::ECS::TaskDefinition').map(([, properties]) => properties);
      const containers = definitions.map(
        ({ ContainerDefinitions }) => (ContainerDefinitions as Record<string, unknown>[])[0] ?? {},
      );
      expect(containers).toHaveLength(2);
      expect(new Set(containers.map(({ Image }) => JSON.stringify(Image))).size).toBe(1);
      for (const container of containers) {
        expect(container).toMatchObject({
          ReadonlyRootFilesystem: true,
          User: '1000:1000',
          StopTimeout: 30,
          Secrets: [
            { Name: 'FLOW_SECRET', ValueFrom: {} },
            { Name: 'FLOW_SECRET_ACCEPTED', ValueFrom: {} },
          ],
          HealthCheck: { Command: ['CMD', 'node', 'dist/healthcheck.js'] },
        });
      }
      const roles = containers.map(
        ({ Environment }) =>
          (Environment as { Name: string; Value: string }[]).find(({ Name }) => Name === 'ROLE')?.Value,
      );
      expect(roles.sort()).toEqual(['agent', 'session-binding']);
    });

    it.each([true, false])(
      'give the secret of a client to session binding alone, where it ends grants: %s',
      (endGrants) => {
        const [provider] = exampleDeployment().providers;
        const made = agentOf({ providers: [{ ...provider, endGrants }] });
        const definitions = Object.values(made.findResources('AWS::ECS::TaskDefinition')).map(
          ({ Properties }) => (Properties as { ContainerDefinitions: unknown[] }).ContainerDefinitions[0],
        ) as {
          readonly Secrets: readonly { readonly Name: string }[];
          readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
        }[];
        const having = (name: 'GITHUB_CLIENT_ID' | 'GITHUB_CLIENT_SECRET'): readonly (string | undefined)[] =>
          definitions
            .filter(({ Secrets, Environment }) =>
              [...Secrets, ...Environment].some(({ Name }) => Name === name),
            )
            .map(({ Environment }) => Environment.find(({ Name }) => Name === 'ROLE')?.Value);
        expect(having('GITHUB_CLIENT_SECRET')).toEqual(endGrants ? ['session-binding'] : []);
        expect(having('GITHUB_CLIENT_ID')).toHaveLength(endGrants ? 2 : 0);
      },
    );

    it('are spread over zones, replaced only by healthy tasks, and scaled by the load of each role', () => {
      for (const [, properties] of ofType('AWS::ECS::Service')) {
        expect(properties).toMatchObject({
          PropagateTags: 'SERVICE',
          AvailabilityZoneRebalancing: 'ENABLED',
          DeploymentConfiguration: {
            MinimumHealthyPercent: 100,
            DeploymentCircuitBreaker: { Enable: true, Rollback: true },
          },
        });
      }
      const policies = ofType('AWS::ApplicationAutoScaling::ScalingPolicy').map(([, properties]) =>
        JSON.stringify(properties.TargetTrackingScalingPolicyConfiguration),
      );
      expect(policies).toHaveLength(3);
      for (const metric of ['RunsInProgress', 'ECSServiceAverageCPUUtilization', 'ALBRequestCountPerTarget'])
        expect(policies.filter((policy) => policy.includes(metric))).toHaveLength(1);
      const delays = ofType('AWS::ElasticLoadBalancingV2::TargetGroup').map(
        ([, { TargetGroupAttributes }]) =>
          (TargetGroupAttributes as { Key: string; Value: string }[]).find(
            ({ Key }) => Key === 'deregistration_delay.timeout_seconds',
          )?.Value,
      );
      expect(delays.sort()).toEqual(['15', '960']);
    });
  });

  it('has a network over two zones with flow logs and endpoints for all services that the tasks call', () => {
    template.resourceCountIs('AWS::EC2::FlowLog', 1);
    const zones = new Set(
      ofType('AWS::EC2::Subnet').map(([, { AvailabilityZone }]) => JSON.stringify(AvailabilityZone)),
    );
    expect(zones.size).toBe(2);
    const services = ofType('AWS::EC2::VPCEndpoint').map(([, { ServiceName }]) =>
      JSON.stringify(ServiceName),
    );
    for (const name of [
      's3',
      'bedrock-agentcore',
      'bedrock-runtime',
      'ecr.api',
      'ecr.dkr',
      'logs',
      'secretsmanager',
    ]) {
      expect(services.filter((service) => service.includes(`.${name}"`))).toHaveLength(1);
    }
  });

  it('raises the alarms and shows them', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm').map(([id]) =>
      id.replace(/^Observability/, '').replace(/[0-9A-F]{8}$/, ''),
    );
    expect(alarms.length).toBeGreaterThan(0);
    const operations = readFileSync('docs/operations.md', 'utf8');
    for (const name of alarms) expect(operations).toContain(`| \`${name}\` |`);
    for (const [, properties] of ofType('AWS::CloudWatch::Alarm'))
      expect(properties.AlarmActions).toHaveLength(1);
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
    // The topic is encrypted and restricted, so no alarm would arrive without these two permissions.
    const byCloudWatch = { Principal: { Service: 'cloudwatch.amazonaws.com' }, Effect: 'Allow' };
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ ...byCloudWatch, Action: 'sns:Publish' })]),
      },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({ ...byCloudWatch, Action: ['kms:Decrypt', 'kms:GenerateDataKey'] }),
        ]),
      },
    });
  });

  it('gives AgentCore Identity the allowed return URLs and a reference to the secret', () => {
    identity.hasResourceProperties('AWS::BedrockAgentCore::WorkloadIdentity', {
      Name: 'onbehalf-dev',
      AllowedResourceOauth2ReturnUrls: ['https://agent.example.com/oauth2/session-binding'],
    });
    identity.hasResourceProperties('AWS::BedrockAgentCore::OAuth2CredentialProvider', {
      CredentialProviderVendor: 'GithubOauth2',
      Oauth2ProviderConfigInput: {
        GithubOauth2ProviderConfig: {
          ClientSecret: Match.absent(),
          ClientSecretSource: 'EXTERNAL',
          ClientSecretConfig: { SecretId: 'onbehalf/github', JsonKey: 'clientSecret' },
        },
      },
    });
  });
});
