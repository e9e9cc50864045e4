import { createDeployment } from '../lib/app.ts';
import { readDeployment } from '../lib/read-deployment.ts';

const DEFAULT = `${import.meta.dirname}/../deployments/example.json`;

const given = readDeployment(process.env.DEPLOYMENT ?? DEFAULT);
createDeployment(given, { outdir: process.env.CDK_OUTDIR ?? 'cdk.out' }).app.synth();
