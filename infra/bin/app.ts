import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDeployment, findingsIn } from '../lib/app.ts';
import { policyDocuments } from '../lib/policy-documents.ts';
import { readDeployment } from '../lib/read-deployment.ts';

const DEFAULT = `${import.meta.dirname}/../deployments/example.json`;

const given = readDeployment(process.env.DEPLOYMENT ?? DEFAULT);
const outdir = process.env.CDK_OUTDIR ?? 'cdk.out';
try {
  createDeployment(given, { outdir }).app.synth();
  const findings = findingsIn(outdir);
  if (findings.length > 0) throw new Error(findings.join('\n'));
  const { bucketName = 'YOUR-BUCKET', keyArn } = given.sessions;
  const documents = policyDocuments(given, {
    bucketName,
    keyArn: keyArn ?? `arn:aws:kms:${given.region}:${given.account}:key/YOUR-KEY`,
  });
  mkdirSync(join(outdir, 'policies'), { recursive: true });
  for (const [role, document] of Object.entries(documents))
    writeFileSync(join(outdir, 'policies', `${role}.json`), `${JSON.stringify(document, null, 2)}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
