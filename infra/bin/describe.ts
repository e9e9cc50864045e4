import { writeFileSync } from 'node:fs';
import { describeDeployment } from '../lib/describe-deployment.ts';

writeFileSync('docs/deployment-file.md', describeDeployment());
process.stdout.write('docs/deployment-file.md is written.\n');
