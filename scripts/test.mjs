// Builds, then runs the suites that are named, or all of them, and adds up what passed and failed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { findChromium } from './lib/chromium.mjs';

const SUITES = ['unit', 'e2e', 'security', 'browser'];
const say = (line) => process.stdout.write(`${line}\n`);

const named = process.argv.slice(2).filter((argument) => SUITES.includes(argument));
const passedOn = process.argv.slice(2).filter((argument) => !SUITES.includes(argument));
const wanted = named.length > 0 ? named : SUITES;

say(`Suites: ${wanted.join(', ')}.`);
// Unit tests run on the sources; the other suites start what is built.
if (wanted.some((suite) => suite !== 'unit')) await build();
const total = { passed: 0, failed: 0 };
let broken = false;
const notRun = [];
for (const suite of wanted) {
  if (suite === 'browser' && findChromium() === undefined) {
    const sentence =
      'The browser suite needs Chromium (Debian: apt-get install chromium), or its path in CHROMIUM_PATH.';
    if (process.env['CI'] === 'true' || named.length > 0) {
      say(sentence);
      broken = true;
    } else {
      notRun.push(suite);
      say(`\n— ${suite} —\nNOT RUN: ${sentence}`);
    }
    continue;
  }
  say(`\n— ${suite} —`);
  broken = !(await runSuite(suite)) || broken;
}
if (notRun.length > 0) say(`\nNOT RUN: ${notRun.join(', ')}; see above.`);
say(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(broken || total.failed > 0 || total.passed === 0 ? 1 : 0);

async function runSuite(suite) {
  const folder = mkdtempSync(join(tmpdir(), 'onbehalf-test-'));
  const outputFile = join(folder, 'result.json');
  const parameters = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  parameters.push('--selectProjects', suite, '--json', '--outputFile', outputFile, '--testTimeout', '60000');
  // Suites with servers and browsers of their own take the two cores one after the other.
  if (suite !== 'unit') parameters.push('--runInBand');
  const code = await new Promise((resolve) => {
    const child = spawn(process.execPath, [...parameters, ...passedOn], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('exit', resolve);
  });
  try {
    const result = JSON.parse(readFileSync(outputFile, 'utf8'));
    total.passed += result.numPassedTests;
    total.failed += result.numFailedTests;
    const skipped = result.numPendingTests + result.numTodoTests;
    const filtered = passedOn.some((argument) => /^(-t|--testNamePattern)/.test(argument));
    if (skipped > 0 && !filtered) say(`${skipped} tests were skipped, which counts as a failure.`);
    return code === 0 && result.success && (filtered || skipped === 0) && result.numPassedTests > 0;
  } catch {
    say(`The suite ${suite} did not run to its end.`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
