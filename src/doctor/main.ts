import 'reflect-metadata';
import { processEnvironment } from '../config/index.js';
import { PROVIDERS } from '../roles/providers.js';
import { AwsAdapter } from './aws.adapter.js';
import { examine } from './doctor.js';
import type { Finding } from './finding.js';

// The reader of the output may close it early, for example head.
process.stdout.on('error', () => process.exit(1));

const SIGNS = { ok: 'ok   ', wrong: 'WRONG', 'not checked': '-    ' } as const;
const WIDTH = 21;
/** The output contains answers of other systems, and a terminal obeys control characters. */
const CONTROL = /\p{Cc}/gu;
const counts = { ok: 0, wrong: 0, 'not checked': 0 };

// Without ROLE, the doctor checks the agent role, which needs almost everything.
const environment = { ROLE: 'agent', ...processEnvironment() };
for await (const finding of examine(environment, PROVIDERS, (address) => new AwsAdapter(address))) {
  counts[finding.state] += 1;
  process.stdout.write(`${lineOf(finding)}\n`);
}
process.stdout.write(
  `\n${String(counts.ok)} ok, ${String(counts.wrong)} wrong, ${String(counts['not checked'])} not checked\n`,
);
process.exit(counts.wrong + counts['not checked'] > 0 ? 1 : 0);

function lineOf(finding: Finding): string {
  const first = `${SIGNS[finding.state]}  ${finding.subject.padEnd(WIDTH)}${finding.detail}`;
  const more = finding.state === 'wrong' ? [`fix: ${finding.fix}`, ...(finding.note ?? '').split('\n')] : [];
  return [first, ...more.filter((line) => line !== '').map((line) => ' '.repeat(WIDTH + 7) + line)]
    .map((line) => line.replace(CONTROL, ' '))
    .join('\n');
}
