import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../scripts/lib/build.mjs';
import { FaultSwitch } from './lib/faults.ts';
import { readBody, sendJson, serve, type Serving } from './lib/http.ts';
import { startRole, type RoleProcess } from './lib/role-process.ts';
import { startStack, type LocalStack } from './stack.ts';

/** An agent process of one build, and its figures of each round. */
interface Measured {
  readonly name: string;
  readonly role: RoleProcess;
  readonly turnsPerSecond: number[];
  readonly cpuMsPerTurn: number[];
}

/** Many short rounds, because a machine's speed changes in the course of a second. */
const ROUNDS = 300;
const WARM_UP_ROUNDS = 40;
const USERS = 8;
const TURNS_PER_USER = 2;
const ROUNDS_PER_CONVERSATION = 8;
const WITHOUT = '.onbehalf/without-telemetry';
const NS_PER_MS = 1_000_000;

/** What other modules import of the telemetry, doing nothing. */
const NOTHING = `
export const NAMES = {};
export const startTelemetry = () => Promise.resolve(() => Promise.resolve());
export const telemetry = () => undefined;
export const handedIn = () => undefined;
export const handedOn = () => undefined;
export const beginChild = () => undefined;
export const beginSpan = () => undefined;
export const errorType = () => '';
export const markFailed = () => undefined;
export const traceIds = () => undefined;
export const workOf = () => undefined;
export const traced = (_name, _options, work) => work({ setAttribute: () => undefined });
export class Work { requests = 0; do(part) { return part(); } countRequest() {} }
`;
/** Limits and the log need the tokens and the time of the first text, with telemetry or without. */
const UNMEASURED_CALL = `
export class ModelCall {
  retries = 0; inputTokens = 0; outputTokens = 0; firstTextAt = undefined;
  async *heard(ask) {
    for await (const event of ask()) {
      if (event.type === 'modelContentBlockDeltaEvent' && event.delta.type === 'textDelta' && event.delta.text !== '')
        this.firstTextAt ??= performance.now();
      if (event.type === 'modelMetadataEvent') {
        this.inputTokens += event.usage?.inputTokens ?? 0;
        this.outputTokens += event.usage?.outputTokens ?? 0;
      }
      yield event;
    }
  }
}
`;

/**
 * Prints the turns a second and the CPU time of a turn: of this build without an endpoint, of the same build with an endpoint,
 * and of another build, by default a copy whose telemetry does nothing. The rounds of the three alternate. Linux only.
 */
await build();
const stack = await startStack();
const sink = await startSink();
const measured = await startAll(stack, sink.url, process.argv[2] ?? withoutTelemetry());
for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
  // Each of the three comes first, second and last equally often.
  const first = round % measured.length;
  for (const each of [...measured.slice(first), ...measured.slice(0, first)])
    await playRound(stack, each, round);
}
print(measured);
await Promise.all(measured.map(({ role }) => role.stop()));
await stack.close();
await sink.close();
rmSync(WITHOUT, { recursive: true, force: true });

function withoutTelemetry(): string {
  rmSync(WITHOUT, { recursive: true, force: true });
  cpSync('dist', WITHOUT, { recursive: true });
  writeFileSync(join(WITHOUT, 'common/telemetry/index.js'), NOTHING);
  writeFileSync(join(WITHOUT, 'agent/strands/model-call.js'), UNMEASURED_CALL);
  return WITHOUT;
}

/** Takes what is sent to it, as a collector would. */
function startSink(): Promise<Serving> {
  return serve(async (request, response) => {
    await readBody(request);
    sendJson(response, 200, {});
  }, new FaultSwitch());
}

async function startAll(on: LocalStack, endpoint: string, other: string): Promise<readonly Measured[]> {
  const start = async (name: string, entry: string, more = {}): Promise<Measured> => ({
    name,
    role: await startRole('agent', { entry, environment: { ...on.environment('agent'), ...more } }),
    turnsPerSecond: [],
    cpuMsPerTurn: [],
  });
  return [
    await start('without an endpoint', 'dist/main.js'),
    await start(`the other build, ${other}`, join(other, 'main.js')),
    await start('with an endpoint', 'dist/main.js', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
  ];
}

async function playRound(on: LocalStack, each: Measured, round: number): Promise<void> {
  const cpuBefore = cpuMs(each.role);
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: USERS }, (_, user) => playTurns(on, each.role, conversationOf(each, round, user))),
  );
  if (round < WARM_UP_ROUNDS) return;
  const turns = USERS * TURNS_PER_USER;
  each.turnsPerSecond.push((turns * 1000) / (performance.now() - startedAt));
  each.cpuMsPerTurn.push((cpuMs(each.role) - cpuBefore) / turns);
}

/** The three use one bucket. A conversation does not become long. */
function conversationOf({ role }: Measured, round: number, user: number): string {
  return [role.process.pid, Math.floor(round / ROUNDS_PER_CONVERSATION), user].join('-');
}

async function playTurns(on: LocalStack, { url }: RoleProcess, name: string): Promise<void> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const identity = on.loadBalancer.identityHeaders({ claims: { sub: name, exp }, accessToken: '' });
  const headers = {
    ...identity,
    'content-type': 'application/json',
    // Every request has this behind a load balancer of AWS.
    'x-amzn-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793',
  };
  const body = JSON.stringify({ sessionId: name, message: 'hello' });
  for (let turn = 0; turn < TURNS_PER_USER; turn += 1) {
    const answer = await fetch(`${url}/invocations`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (!text.includes('"type":"success"')) throw new Error(`A turn failed: ${text.slice(0, 500)}`);
  }
}

/** The CPU time of a process, by its threads: https://docs.kernel.org/scheduler/sched-stats.html */
function cpuMs({ process: { pid } }: RoleProcess): number {
  const threads = `/proc/${String(pid)}/task`;
  const times = readdirSync(threads).map((thread) => {
    const [time = ''] = readFileSync(join(threads, thread, 'schedstat'), 'utf8').split(' ');
    return Number(time) / NS_PER_MS;
  });
  return times.reduce((sum, time) => sum + time, 0);
}

function print(all: readonly Measured[]): void {
  const [own, other, recording] = all;
  if (own === undefined || other === undefined || recording === undefined) return;
  for (const { name, turnsPerSecond, cpuMsPerTurn } of all)
    say(`${name}: ${spread(turnsPerSecond)} turns/s, ${spread(cpuMsPerTurn)} ms CPU a turn`);
  const ratios = (of: Measured, figure: 'turnsPerSecond' | 'cpuMsPerTurn'): readonly number[] =>
    of[figure].map((value, round) => value / (other[figure][round] ?? Number.NaN));
  for (const each of [own, recording]) {
    say(`${each.name} / the other build: turns/s × ${spread(ratios(each, 'turnsPerSecond'))}`);
    say(`${each.name} / the other build: CPU × ${spread(ratios(each, 'cpuMsPerTurn'))}`);
  }
}

/** The median with its 95 % confidence interval, by order statistics, and the quartiles. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (rank: number): string => (sorted[Math.round(rank)] ?? Number.NaN).toFixed(3);
  const [last, middle] = [sorted.length - 1, (sorted.length - 1) / 2];
  const reach = 0.98 * Math.sqrt(sorted.length);
  const interval = `${at(middle - reach)} to ${at(middle + reach)}`;
  return `${at(middle)} (95 %: ${interval}; quartiles: ${at(last / 4)} to ${at((last * 3) / 4)})`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
