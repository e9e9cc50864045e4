import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Tags, Validations, type AppProps } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { acknowledge } from './acknowledgements.ts';
import { AgentStack } from './agent.stack.ts';
import type { Deployment } from './deployment.ts';
import { IdentityStack } from './identity.stack.ts';

/** How the CDK would have it for new applications; cdk.json has no say where the app is run without the CLI. */
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
 * @param acknowledged false shows what the checks find where nothing is acknowledged
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
 * What the checks have found in templates that were synthesised into a folder: AWS's solution rules, and the CDK's own
 * validation of the templates, which only warns by itself.
 */
export function findingsIn(outdir: string): readonly string[] {
  const text = readFileSync(join(outdir, 'validation-report.json'), 'utf8');
  const { pluginReports } = JSON.parse(text) as ValidationReport;
  return pluginReports.flatMap(({ pluginName, violations }) =>
    violations.map(({ ruleName, description }) => `${pluginName}, ${ruleName}: ${description}`),
  );
}
