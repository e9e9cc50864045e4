import { readFileSync } from 'node:fs';
import { createDeployment } from '../lib/app.ts';
import { parseDeployment } from '../lib/deployment.ts';

const DEFAULT = `${import.meta.dirname}/../deployments/example.json`;
const file = process.env.DEPLOYMENT ?? DEFAULT;

const given = parseDeployment(JSON.parse(readFileSync(file, 'utf8')), file);
createDeployment(given, { outdir: process.env.CDK_OUTDIR ?? 'cdk.out' }).app.synth();
