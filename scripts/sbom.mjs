// Writes a software bill of materials (CycloneDX) of the production dependencies, from the lockfile.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const FILE = 'sbom.cdx.json';
const parameters = [
  'sbom',
  '--package-lock-only',
  '--omit',
  'dev',
  '--sbom-format',
  'cyclonedx',
  '--sbom-type',
  'application',
];
const { stdout, stderr } = spawnSync('npm', parameters, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
let sbom;
try {
  sbom = JSON.parse(stdout);
} catch {
  process.stderr.write(`npm sbom failed. It needs npm 10 or later:\n${stderr}\n`);
  process.exit(1);
}
writeFileSync(FILE, stdout);
process.stdout.write(`${FILE}: CycloneDX ${sbom.specVersion}, ${sbom.components.length} components.\n`);
