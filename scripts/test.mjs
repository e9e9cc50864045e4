// Builds the project, runs the named suites or all suites, and counts the tests that passed and failed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assuranceTable, isDocumented, writeDocument } from './lib/assurance.mjs';
import { build } from './lib/build.mjs';
import { findChromium } from './lib/chromium.mjs';
import { coverageParameters } from './lib/coverage.mjs';
import { Durations, inWords } from './lib/durations.mjs';
import { checkInfraTypes, installInfra } from './lib/infra.mjs';

const SUITES = ['unit', 'e2e', 'security', 'infra', 'browser'];
/** The tests of each suite that need a browser. */
const NEEDS_CHROMIUM = { browser: '\\.browser\\.ts$', security: '-browser\\.security\\.ts$' };
const TWO_AT_A_TIME = '--maxWorkers=2';
const FAILURES = 'test/e2e/(failures/|(doctor|extending|fault-board|forget-user|lambda|openapi)\\.e2e)';
const PAINT = 'chat\\.browser';
const ALONE = '(doors|cross-site)\\.security';
const OUTAGES = 'alarms\\.infra';
/** The parts of a suite that is run in parts, by the parameters of each. */
const PARTS = {
  // The tests of failures mostly wait, for deadlines and for leases; the others beside them, for programs that start.
  e2e: [[`--testPathPatterns=${FAILURES}`, TWO_AT_A_TIME], [`--testPathIgnorePatterns=${FAILURES}`]],
  // The chat page has a second for its first paint.
  browser: [[`--testPathPatterns=${PAINT}`], [`--testPathIgnorePatterns=${PAINT}`, TWO_AT_A_TIME]],
  // An outage begins while requests are under way, which needs the time that they usually take.
  infra: [[`--testPathPatterns=${OUTAGES}`], [`--testPathIgnorePatterns=${OUTAGES}`, TWO_AT_A_TIME]],
  // One of these measures how long a verification takes, the other one has many requests race for one flow.
  security: [[`--testPathPatterns=${ALONE}`], [`--testPathIgnorePatterns=${ALONE}`, TWO_AT_A_TIME]],
};
const say = (line) => process.stdout.write(`${line}\n`);

const given = process.argv.slice(2);
const named = given.filter((argument) => SUITES.includes(argument));
const writeDocs = given.includes('--write-docs');
const passedOn = given.filter((argument) => !SUITES.includes(argument) && argument !== '--write-docs');
const wanted = named.length > 0 ? named : SUITES;

const hasChromium = findChromium() !== undefined;
const durations = new Durations();
/** No estimate is known for a part of a suite. */
const whole = passedOn.length === 0;
const toRun = wanted.filter((suite) => suite !== 'browser' || hasChromium);
const estimateOf = (suites) =>
  whole ? ` Estimate: ${inWords(durations.estimate(suites))}, ${durations.source(suites)}.` : '';

say(`Suites: ${wanted.join(', ')}.${estimateOf(toRun)}`);
// Unit tests run on the sources; the other suites start the built code.
if (wanted.some((suite) => suite !== 'unit')) await build();
const total = { passed: 0, failed: 0 };
let broken = false;
const notRun = [];
const notHeld = [];
const times = [];
/** The unit tests measure their coverage, where the security suite is to tell it. */
const coverage =
  whole && wanted.includes('unit') && wanted.indexOf('unit') < wanted.indexOf('security')
    ? mkdtempSync(join(tmpdir(), 'onbehalf-coverage-'))
    : undefined;
for (const suite of wanted) {
  say(`\n— ${suite} —`);
  const parameters = [];
  if (!hasChromium && suite in NEEDS_CHROMIUM) {
    const sentence =
      'Chromium is needed (Debian: apt-get install chromium), or its path in CHROMIUM_PATH, for the tests that run in a browser.';
    notRun.push(suite);
    say(`NOT RUN: ${sentence}`);
    if (process.env['CI'] === 'true' || named.includes('browser')) broken = true;
    if (suite === 'browser') continue;
    // One argument: the pattern begins with a hyphen, and would be taken for an option.
    parameters.push(`--testPathIgnorePatterns=${NEEDS_CHROMIUM[suite]}`);
  }
  const isComplete = whole && parameters.length === 0;
  if (suite === 'unit' && coverage !== undefined) parameters.push(...coverageParameters(coverage));
  const run = { security: runSecurity, infra: runInfra }[suite] ?? runParts;
  const startedAt = Date.now();
  const holds = await run(suite, parameters);
  const seconds = (Date.now() - startedAt) / 1000;
  broken = !holds || broken;
  if (!holds) notHeld.push(suite);
  if (holds && isComplete) durations.remember(suite, seconds);
  times.push(`${suite} ${inWords(seconds)}`);
  const rest = toRun.slice(toRun.indexOf(suite) + 1);
  say(`\n${suite} took ${inWords(seconds)}.`);
  if (rest.length > 0) say(`${rest.join(', ')}: still to run.${estimateOf(rest)}`);
}
if (times.length > 1) say(`\nTimes: ${times.join(', ')}.`);
if (notRun.length > 0) say(`\nNOT RUN in a browser: ${notRun.join(', ')}; see above.`);
if (notHeld.length > 0) say(`\nA CHECK FAILED: ${notHeld.join(', ')}; the lines of the suite above say why.`);
say(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(broken || total.failed > 0 || total.passed === 0 ? 1 : 0);

/** Runs the suite, then the additional measurements, then prints the table of all cases. */
async function runSecurity(suite, parameters) {
  const folder = mkdtempSync(join(tmpdir(), 'onbehalf-assurance-'));
  const environment = { ASSURANCE_REPORT: join(folder, 'lines'), ...(coverage && { COVERAGE: coverage }) };
  try {
    let holds = await runParts(suite, parameters, environment);
    if (passedOn.length > 0) return holds;
    for (const script of ['scripts/coverage.mjs', 'scripts/supply-chain.mjs']) {
      holds = (await start([script], environment, 'inherit')) === 0 && holds;
    }
    const table = assuranceTable(environment.ASSURANCE_REPORT);
    say(`\n${table.text}`);
    if (writeDocs) writeDocument(table.text);
    else if (hasChromium && holds && !isDocumented(table.text)) {
      say('docs/assurance.md has a different table. Run: npm run test:security -- --write-docs');
      return false;
    }
    return holds && table.held;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runInfra(suite, parameters) {
  installInfra();
  return checkInfraTypes() && (await runParts(suite, parameters));
}

async function runParts(suite, parameters, environment) {
  let holds = true;
  for (const part of whole ? (PARTS[suite] ?? [[]]) : [[]])
    holds = (await runSuite(suite, [...part, ...parameters], environment)) && holds;
  return holds;
}

async function runSuite(suite, more, environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'onbehalf-test-'));
  const outputFile = join(folder, 'result.json');
  const parameters = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  parameters.push('--selectProjects', suite, '--json', '--outputFile', outputFile, '--testTimeout', '60000');
  // Suites with servers and browsers of their own take the two cores one after the other.
  if (suite !== 'unit' && !more.includes(TWO_AT_A_TIME)) parameters.push('--runInBand');
  const code = await start([...parameters, ...passedOn, ...more], environment, 'ignore');
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

/**
 * Starts a process of this Node.js and resolves with its exit code. Jest writes everything to standard error, so its standard
 * output is ignored.
 */
function start(parameters, environment, stdout) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, parameters, {
      stdio: ['ignore', stdout, 'inherit'],
      env: { ...process.env, ...environment },
    });
    child.on('exit', resolve);
  });
}
