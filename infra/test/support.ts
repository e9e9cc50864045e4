import { readFileSync } from 'node:fs';
import type { Template } from 'aws-cdk-lib/assertions';
import { parseDeployment, type Deployment } from '../lib/deployment.ts';

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
