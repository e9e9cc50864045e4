import { describe, expect, it } from '@jest/globals';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { createDeployment } from '../lib/app.ts';
import { exampleDeployment, exampleTemplates, type Resource, type Statement } from './support.ts';

describe('the deployment', () => {
  const { template, resources, text, ofType } = exampleTemplates();
  const statementsIn = (
    policies: readonly (readonly [string, Resource['Properties']])[],
  ): readonly Statement[] =>
    policies.flatMap(([, { PolicyDocument }]) => (PolicyDocument as { Statement: Statement[] }).Statement);
  /** The statements of the role of one task. */
  const statementsOf = (task: string): readonly Statement[] =>
    statementsIn(ofType('AWS::IAM::Policy').filter(([id]) => id.startsWith(`${task}TaskTaskRole`)));
  const actionsOf = (task: string): readonly string[] =>
    statementsOf(task)
      .flatMap(({ Action }) => Action)
      .sort();

  describe('the permissions', () => {
    it('let the agent fetch tokens and never complete authorizations', () => {
      expect(actionsOf('Agent')).toEqual([
        'bedrock-agentcore:GetResourceOauth2Token',
        'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
        'bedrock:InvokeModelWithResponseStream',
        'bedrock:InvokeModelWithResponseStream',
        'kms:Decrypt',
        'kms:GenerateDataKey',
        's3:DeleteObject',
        's3:DeleteObject',
        's3:GetObject',
        's3:GetObject',
        's3:GetObject',
        's3:GetObject',
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
        's3:PutObject',
        's3:PutObject',
        's3:PutObject',
        's3:PutObject',
        'secretsmanager:GetSecretValue',
      ]);
    });

    it('let session binding complete authorizations and never fetch tokens', () => {
      expect(actionsOf('SessionBinding')).toEqual([
        'bedrock-agentcore:CompleteResourceTokenAuth',
        'kms:Decrypt',
        'kms:GenerateDataKey',
        's3:GetObject',
        's3:PutObject',
        's3:PutObject',
        'secretsmanager:GetSecretValue',
      ]);
    });

    it('name their resources: no action is allowed on all resources', () => {
      for (const task of ['Agent', 'SessionBinding']) {
        for (const { Action, Resource } of statementsOf(task)) {
          expect([Action].flat().some((action) => action.includes('*'))).toBe(false);
          expect([Resource].flat()).not.toContain('*');
        }
      }
      const everything = statementsIn(ofType('AWS::IAM::Policy')).filter(({ Resource }) => Resource === '*');
      expect(everything.map(({ Action }) => Action)).toEqual([
        'ecr:GetAuthorizationToken',
        'ecr:GetAuthorizationToken',
      ]);
    });
  });

  describe('stored data', () => {
    it('is encrypted, not public, sent by TLS only, and kept when the stack is deleted, except after a failed first deployment', () => {
      const buckets = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::S3::Bucket');
      expect(buckets).toHaveLength(3);
      for (const [id, { Properties, DeletionPolicy }] of buckets) {
        // The load balancer and Firehose write to their buckets immediately, so a rollback could not delete them.
        const isWrittenAtOnce = !id.startsWith('StorageSessions');
        expect(DeletionPolicy).toBe(isWrittenAtOnce ? 'Retain' : 'RetainExceptOnCreate');
        expect(Properties).toMatchObject({
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
          },
          BucketEncryption: {},
        });
      }
      const policies = ofType('AWS::S3::BucketPolicy').map(([, properties]) => JSON.stringify(properties));
      expect(policies.filter((policy) => policy.includes('"aws:SecureTransport":"false"'))).toHaveLength(3);
      template.hasResourceProperties('AWS::S3::Bucket', {
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            Match.objectLike({
              BucketKeyEnabled: true,
              ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }),
            }),
          ],
        },
        LifecycleConfiguration: Match.anyValue(),
      });
      for (const [, properties] of ofType('AWS::KMS::Key'))
        expect(properties).toMatchObject({ EnableKeyRotation: true });
      const open = ofType('AWS::Logs::LogGroup').filter(
        ([, { KmsKeyId, RetentionInDays }]) => KmsKeyId === undefined || RetentionInDays !== 90,
      );
      expect(open).toEqual([]);
    });

    it('has no secret in the template', () => {
      expect(text).toContain('{{resolve:secretsmanager:');
      template.hasResourceProperties('AWS::SecretsManager::Secret', {
        SecretString: Match.absent(),
        GenerateSecretString: Match.anyValue(),
      });
      for (const [, { ContainerDefinitions }] of ofType('AWS::ECS::TaskDefinition')) {
        const names =
          (ContainerDefinitions as { Environment: { Name: string }[] }[])[0]?.Environment.map(
            ({ Name }) => Name,
          ) ?? [];
        expect(names.filter((name) => /SECRET|PASSWORD|_TOKEN$/.test(name))).toEqual([]);
      }
    });

    it.each([
      ['compliance', 'COMPLIANCE'],
      ['governance', 'GOVERNANCE'],
    ] as const)('locks audit lines with %s if the deployment says so', (lock, mode) => {
      const { agent } = createDeployment(exampleDeployment({ audit: { lock, days: 90 } }), {
        analyticsReporting: false,
      });
      Template.fromStack(agent).hasResourceProperties('AWS::S3::Bucket', {
        ObjectLockEnabled: true,
        ObjectLockConfiguration: Match.objectLike({ Rule: { DefaultRetention: { Days: 90, Mode: mode } } }),
      });
    });

    it('keeps audit lines in a separate bucket with its own key, and locks nothing in a trial', () => {
      template.resourcePropertiesCountIs('AWS::S3::Bucket', { ObjectLockEnabled: true }, 0);
      expect(ofType('AWS::KMS::Key')).toHaveLength(3);
      for (const service of ['logs', 'firehose'])
        template.hasResourceProperties('AWS::IAM::Role', {
          AssumeRolePolicyDocument: {
            Statement: [
              Match.objectLike({
                Principal: { Service: `${service}.amazonaws.com` },
                Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
              }),
            ],
          },
        });
      template.resourcePropertiesCountIs(
        'AWS::Logs::SubscriptionFilter',
        { FilterPattern: '{ $.stream = "audit" }' },
        2,
      );
    });
  });
});
