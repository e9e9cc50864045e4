// Prints the cost of a deployment: at rest, from its template; and for 1,000 turns, from the calls of a turn on the local stack.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { measureTurn } from '../../local/measure-turn.ts';
import { monthAtRest, PRICES, tableOf, thousandTurns, type Resources } from '../cost/cost.ts';
import { createDeployment } from '../lib/app.ts';
import { readDeployment } from '../lib/read-deployment.ts';

const DOCUMENT = 'docs/deploy.md';
const arguments_ = process.argv.slice(2);
const [file = 'infra/deployments/example.json'] = arguments_.filter((each) => !each.startsWith('--'));
const given = readDeployment(file);
const outdir = mkdtempSync(join(tmpdir(), 'onbehalf-cost-'));
try {
  const { agent } = createDeployment(given, { outdir, analyticsReporting: false });
  const resources = (Template.fromStack(agent).toJSON() as { Resources: Resources }).Resources;
  const tables = {
    'a month at rest': tableOf(monthAtRest(resources, given)),
    '1,000 turns': tableOf(thousandTurns(await measureTurn())),
  };
  for (const [name, table] of Object.entries(tables)) {
    process.stdout.write(
      `\n${file}, ${name}, in US dollars (${PRICES.region}, ${PRICES.asOf}):\n\n${table}\n`,
    );
  }
  if (arguments_.includes('--write-docs')) {
    let text = readFileSync(DOCUMENT, 'utf8');
    for (const [name, table] of Object.entries(tables)) {
      text = text.replace(
        new RegExp(`(<!-- cost of ${name} -->\n)[^]*?\n?(<!-- end -->)`),
        (_, begin: string, end: string) => `${begin}${table}\n${end}`,
      );
    }
    writeFileSync(DOCUMENT, text);
  }
} finally {
  rmSync(outdir, { recursive: true });
}
