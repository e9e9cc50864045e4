import { App, Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Deployment } from './deployment.ts';
import { agentPolicy, sessionBindingPolicy } from './permissions.ts';

/** An IAM policy in the form that the console accepts. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly unknown[];
}

/**
 * The policies of both roles without CloudFormation, for Kubernetes and Lambda, whose IAM roles are created elsewhere. They
 * equal the policies of the templates, for the given bucket and key.
 */
export function policyDocuments(
  given: Deployment,
  { bucketName, keyArn }: { readonly bucketName: string; readonly keyArn: string },
): Readonly<Record<'agent' | 'session-binding', PolicyDocument>> {
  const stack = new Stack(new App({ analyticsReporting: false, autoSynth: false }), 'Policies', {
    env: { account: given.account, region: given.region },
  });
  const store = {
    bucket: Bucket.fromBucketName(stack, 'Bucket', bucketName),
    key: Key.fromKeyArn(stack, 'Key', keyArn),
  };
  const documentOf = (statements: readonly PolicyStatement[]): PolicyDocument => ({
    Version: '2012-10-17',
    Statement: statements.map((statement) => plain(stack.resolve(statement.toStatementJson()))),
  });
  return {
    agent: documentOf(agentPolicy(stack, given, store)),
    'session-binding': documentOf(sessionBindingPolicy(stack, given, store)),
  };
}

type Intrinsics = Readonly<Record<string, string>>;

/**
 * A value of a template with its intrinsic functions resolved.
 * @param made the values that CloudFormation would know, by `Ref NAME` and `GetAtt NAME.ATTRIBUTE`
 */
export function plain(value: unknown, made: Intrinsics = {}): unknown {
  if (Array.isArray(value)) return value.map((each) => plain(each, made));
  if (typeof value !== 'object' || value === null) return value;
  const [name = '', inner] = Object.entries(value)[0] ?? [];
  switch (name) {
    case 'Ref':
      return inner === 'AWS::Partition' ? 'aws' : required(made, `Ref ${String(inner)}`);
    case 'Fn::GetAtt':
      return required(made, `GetAtt ${[inner].flat().join('.')}`);
    case 'Fn::Join': {
      const [separator, parts] = inner as [string, unknown[]];
      return parts.map((part) => String(plain(part, made))).join(separator);
    }
    default:
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, made)]));
  }
}

function required(made: Intrinsics, name: string): string {
  const found = made[name];
  if (found === undefined) throw new Error(`There is no value for ${name}`);
  return found;
}
