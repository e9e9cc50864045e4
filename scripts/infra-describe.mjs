// Writes docs/deployment-file.md from the schema of deployment files.
import { spawnSync } from 'node:child_process';
import { installInfra } from './lib/infra.mjs';

installInfra();
process.exit(spawnSync(process.execPath, ['infra/bin/describe.ts'], { stdio: 'inherit' }).status ?? 1);
