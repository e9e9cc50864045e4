import { Validations } from 'aws-cdk-lib';
import type { AgentStack } from './agent.stack.ts';
import type { Deployment } from './deployment.ts';

export interface Acknowledgement {
  readonly path: string;
  readonly id: string;
  readonly reason: string;
}

const wildcard = (finding: string): string => `AwsSolutions::AwsSolutions-IAM5[Resource::${finding}]`;

/** The findings of the checks that are intended. Each has its reason, and a test verifies that the finding still exists. */
export function acknowledgements(stack: AgentStack, given: Deployment): readonly Acknowledgement[] {
  const { bucketName } = given.sessions;
  const forEachRole = ['Agent', 'SessionBinding'].flatMap((role): Acknowledgement[] => [
    {
      path: `${role}/Task`,
      id: 'AwsSolutions::AwsSolutions-ECS2',
      reason: 'The environment holds names and addresses. The one secret comes from Secrets Manager.',
    },
    {
      path: `${role}/Task/ExecutionRole/DefaultPolicy`,
      id: wildcard('*'),
      reason: 'ecr:GetAuthorizationToken has no resource.',
    },
  ]);
  const common: Acknowledgement[] = [
    ...forEachRole,
    {
      path: 'AuditTrail/Writer/DefaultPolicy',
      id: wildcard(`<${stack.auditBucketId}.Arn>/*`),
      reason: 'Objects of this one bucket. Firehose chooses their names, and may only add objects.',
    },
    ...['FlowSecret', 'FlowSecretAccepted'].map((path) => ({
      path,
      id: 'AwsSolutions::AwsSolutions-SMG4',
      reason: 'Both roles read it when they start, so it is rotated with a deployment: docs/operations.md.',
    })),
    ...(given.loadBalancer.sourceCidrs.includes('0.0.0.0/0')
      ? [
          {
            path: 'FrontGroup',
            id: 'AwsSolutions::AwsSolutions-EC23',
            reason:
              'The load balancer is open to the Internet: port 80 redirects, and port 443 signs users in.',
          },
        ]
      : []),
  ];
  const bucket =
    stack.sessionsBucketId === undefined
      ? `arn:<AWS::Partition>:s3:::${bucketName ?? ''}`
      : `<${stack.sessionsBucketId}.Arn>`;
  const objects = (role: string, prefix: string, reason: string): Acknowledgement => ({
    path: `${role}/Task/TaskRole/DefaultPolicy`,
    id: wildcard(`${bucket}/${prefix}/*`),
    reason,
  });
  return [...common, ...objectsOfTasks(objects)];
}

/** What the tasks reach in the bucket. */
function objectsOfTasks(
  objects: (role: string, prefix: string, reason: string) => Acknowledgement,
): readonly Acknowledgement[] {
  return [
    objects(
      'Agent',
      'users',
      "Conversations under the users' prefix; the application separates users, and each request uses one prefix.",
    ),
    objects(
      'Agent',
      'tasks',
      'The leases of the tasks and their wishes. A task writes its own lease, and reads those of others.',
    ),
    objects(
      'Agent',
      'flows',
      'The flow ledger. The agent adds new flows, and reads whether one of its user is bound.',
    ),
    objects('Agent', 'connections', 'The connections of all users; the application separates users.'),
    objects('Agent', 'receipts', 'The receipts of all users; the application separates users.'),
    objects(
      'SessionBinding',
      'flows',
      'The flow ledger, which session binding reads and writes. It cannot reach a conversation.',
    ),
    objects('SessionBinding', 'receipts', 'Session binding adds receipts. It reads none.'),
  ];
}

export function acknowledge(stack: AgentStack, given: Deployment): void {
  for (const { path, id, reason } of acknowledgements(stack, given)) {
    const construct = path
      .split('/')
      .reduce<Parameters<typeof Validations.of>[0]>((at, name) => at.node.findChild(name), stack);
    Validations.of(construct).acknowledge({ id, reason });
  }
}
