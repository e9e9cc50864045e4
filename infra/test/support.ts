import { readFileSync } from 'node:fs';
import { Template } from 'aws-cdk-lib/assertions';
import { createDeployment } from '../lib/app.ts';
import { parseDeployment, type Deployment } from '../lib/deployment.ts';

/** GitHub, as the application's configuration describes it. */
export const GITHUB = { id: 'github', label: 'GitHub', apiBase: 'https://api.github.com' };

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

export interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

export function resourcesOf(template: Template): Readonly<Record<string, Resource>> {
  return (template.toJSON() as { Resources: Record<string, Resource> }).Resources;
}

const FILE = 'infra/deployments/example.json';

export function exampleText(): Record<string, unknown> {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, unknown>;
}

export function exampleDeployment(change: Readonly<Record<string, unknown>> = {}): Deployment {
  return parseDeployment({ ...exampleText(), ...change }, FILE);
}

/** The base for changes of `oidc`. */
export const OIDC = { clientId: 'client', clientSecretName: 'secret' };

/** The agent stack's template of the example, with changes. */
export function agentOf(change: Readonly<Record<string, unknown>>): Template {
  return Template.fromStack(createDeployment(exampleDeployment(change), { analyticsReporting: false }).agent);
}

export interface Templates {
  readonly template: Template;
  readonly identity: Template;
  readonly resources: Readonly<Record<string, Resource>>;
  /** The agent stack's template as it is written. */
  readonly text: string;
  /** The agent stack's resources of a type, by id. */
  readonly ofType: (type: string) => readonly (readonly [string, Resource['Properties']])[];
}

/** The templates of the example. */
export function exampleTemplates(): Templates {
  const { agent, identity } = createDeployment(exampleDeployment(), { analyticsReporting: false });
  const template = Template.fromStack(agent);
  const resources = resourcesOf(template);
  return {
    template,
    identity: Template.fromStack(identity),
    resources,
    text: JSON.stringify(template.toJSON()),
    ofType: (type) =>
      Object.entries(resources).flatMap(([id, { Type, Properties }]) =>
        Type === type ? [[id, Properties] as const] : [],
      ),
  };
}
