import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Tags, Validations, type AppProps } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { acknowledge } from './acknowledgements.ts';
import { AgentStack } from './agent.stack.ts';
import type { Deployment } from './deployment.ts';
import { IdentityStack } from './identity.stack.ts';

/** The CDK's recommended settings for new applications. cdk.json does not apply when the app runs without the CLI. */
const FLAGS = {
  '@aws-cdk/aws-ec2:restrictDefaultSecurityGroup': true,
  '@aws-cdk/aws-iam:minimizePolicies': true,
  '@aws-cdk/aws-s3:createDefaultLoggingPolicy': true,
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
};

export interface DeploymentApp {
  readonly app: App;
  readonly identity: IdentityStack;
  readonly agent: AgentStack;
}

/**
 * Both stacks of a deployment, checked against AWS's own solution rules.
 * @param acknowledged false shows the findings without acknowledgements
 */
export function createDeployment(
  given: Deployment,
  props: AppProps = {},
  acknowledged = true,
): DeploymentApp {
  const app = new App({ ...props, context: { ...FLAGS, ...props.context } });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const { environment, account, region, identityRegion } = given;
  const identity = new IdentityStack(app, `OnBehalf-${environment}-Identity`, given, {
    env: { account, region: identityRegion ?? region },
  });
  const agent = new AgentStack(app, `OnBehalf-${environment}-Agent`, given, { env: { account, region } });
  agent.addStackDependency(identity);
  const tags = { ...given.tags, application: 'onbehalf', environment };
  for (const [name, value] of Object.entries(tags)) Tags.of(app).add(name, value);
  if (acknowledged) acknowledge(agent, given);
  return { app, identity, agent };
}

interface ValidationReport {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly violations: readonly { readonly ruleName: string; readonly description: string }[];
  }[];
}

/**
 * The findings in the synthesised templates of a folder: from AWS's solution rules, and from the CDK's own validation, which
 * otherwise only warns.
 */
export function findingsIn(outdir: string): readonly string[] {
  const text = readFileSync(join(outdir, 'validation-report.json'), 'utf8');
  const { pluginReports } = JSON.parse(text) as ValidationReport;
  return pluginReports.flatMap(({ pluginName, violations }) =>
    violations.map(({ ruleName, description }) => `${pluginName}, ${ruleName}: ${description}`),
  );
}
