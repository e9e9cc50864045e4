import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { toInvocation, type Invocation } from '../../local/lib/invoke.ts';
import { startRole } from '../../local/lib/role-process.ts';
import { connectAlice } from '../support/connected-user.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { tokenOf } from '../support/tokens.ts';
import { eventually, subjectOf, World } from '../support/world.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const AWS_ROOT = '1-5759e988-bd862e3fe1be46a994272793';
const AWS_TRACE = '5759e988bd862e3fe1be46a994272793';
const CANARY = 'canary-Zq7+/wal?rus';
const QUESTION = `Who am I on GitHub? ${CANARY}`;
const ANSWER = `the answer has a ${CANARY}-answer in it`;
const EXPORTED_WITHIN_MS = 15_000;

describe('telemetry', () => {
  let receiver: OtlpReceiver;
  let world: World;
  let folder: string;
  let headersFile: string;
  let number = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'onbehalf-telemetry-'));
    headersFile = join(folder, 'headers');
    receiver = await startOtlpReceiver();
    const recorder = new URL('../support/record-trace-headers.mjs', import.meta.url).href;
    world = await World.start(
      {},
      {
        environment: {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          OTEL_RESOURCE_ATTRIBUTES: 'team=blue%20team,cloud.zone=a',
          // What Strands would do with these must not be seen.
          OTEL_SEMCONV_STABILITY_OPT_IN: 'gen_ai_latest_experimental,gen_ai_tool_definitions',
          NODE_OPTIONS: `--import ${recorder}`,
          RECORD_TRACE_HEADERS: headersFile,
        },
      },
    );
    await connectAlice(world, 'Who am I on GitHub?');
  });
  afterAll(async () => {
    await world.close();
    await receiver.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => {
    world.stack.bedrock.faults.clear();
  });

  const invoke = async (headers: Readonly<Record<string, string>>): Promise<Invocation> => {
    number += 1;
    const sub = subjectOf('alice@example.com');
    const answer = await fetch(`${world.roles.agent.url}/invocations`, {
      method: 'POST',
      headers: {
        'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub, name: `${CANARY}-name` } }),
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify({ sessionId: `${String(number)}-canary-session`, message: QUESTION }),
    });
    return toInvocation(answer.status, await answer.text());
  };
  const inTrace = (traceId: string): readonly ReceivedSpan[] =>
    receiver.spans.filter((span) => span.traceId === traceId);
  /** The spans of a trace, once its request has ended. */
  const exported = async (traceId: string): Promise<readonly ReceivedSpan[]> => {
    const has = (start: string): boolean => inTrace(traceId).some(({ name }) => name.startsWith(start));
    await eventually(() => has('POST /invocations') && has('invoke_agent'), EXPORTED_WITHIN_MS);
    return inTrace(traceId);
  };
  const named = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
    const found = spans.find((span) => span.name === name);
    if (found === undefined) throw new Error(`no ${name} in: ${spans.map((each) => each.name).join(', ')}`);
    return found;
  };
  const lines = (): readonly Record<string, unknown>[] =>
    world.roles.agent
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('has the span tree of a run with a tool call, under the span of the caller', async () => {
    const run = await invoke({
      traceparent: `00-${TRACE}-${CALLER}-01`,
      tracestate: `x=${CANARY.slice(0, 9)}`,
    });
    expect(run.last?.outcome?.type).toBe('success');
    const spans = await exported(TRACE);
    const request = named(spans, 'POST /invocations');
    const agent = named(spans, 'invoke_agent OnBehalf');
    const tool = named(spans, 'execute_tool get_github_user');
    const fetched = named(spans, 'BedrockAgentCore/GetResourceOauth2Token');
    const chats = spans.filter(({ name }) => name.startsWith('chat '));
    expect(request).toMatchObject({ parentSpanId: CALLER, kind: 2 });
    expect(request.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.route': '/invocations',
      'url.scheme': 'http',
    });
    expect(agent.parentSpanId).toBe(request.spanId);
    expect(agent.attributes).toMatchObject({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'OnBehalf',
      'onbehalf.run.outcome': 'success',
    });
    expect(chats.map(({ parentSpanId }) => parentSpanId)).toEqual([agent.spanId, agent.spanId]);
    expect(chats[0]?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'aws.bedrock',
      'gen_ai.request.model': 'local.rule-based-stand-in',
      'gen_ai.usage.input_tokens': 1,
      'gen_ai.response.time_to_first_chunk': expect.any(Number),
    });
    expect(tool.parentSpanId).toBe(agent.spanId);
    expect(tool.attributes).toMatchObject({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'get_github_user',
      'onbehalf.tool.outcome': 'result',
    });
    expect(fetched).toMatchObject({ parentSpanId: tool.spanId, kind: 3 });
    expect(fetched.attributes).toEqual({
      'rpc.system.name': 'aws-api',
      'rpc.method': 'BedrockAgentCore/GetResourceOauth2Token',
    });
    const ids = new Set([request, agent, tool].map(({ spanId }) => spanId));
    const stored = spans.filter(({ name }) => name.startsWith('S3/'));
    expect(stored.length).toBeGreaterThanOrEqual(3);
    for (const { parentSpanId = '' } of stored) expect(ids).toContain(parentSpanId);
  });

  it.each([
    ['a parent', `Self=1-1-1;Root=${AWS_ROOT};Parent=${CALLER};Sampled=1`, CALLER],
    ['no parent', `Root=${AWS_ROOT.replace('5759e988', '5759e989')}`, undefined],
  ])('takes x-amzn-trace-id with %s', async (_name, header, parentSpanId) => {
    await invoke({ 'x-amzn-trace-id': header });
    const trace = parentSpanId === undefined ? AWS_TRACE.replace('5759e988', '5759e989') : AWS_TRACE;
    const request = named(await exported(trace), 'POST /invocations');
    expect(request.parentSpanId).toBe(parentSpanId);
  });

  it('is named to AWS beside the signature, and not to a provider', async () => {
    const traceId = 'a'.repeat(32);
    await invoke({ traceparent: `00-${traceId}-${CALLER}-01` });
    const spans = await exported(traceId);
    const { stack } = world;
    const sent = readFileSync(headersFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { origin: string; trace: Record<string, string>; signed: string });
    const ofTrace = (url: string): typeof sent =>
      sent.filter(({ origin, trace }) => origin === url && trace.traceparent?.includes(traceId));
    const ids = new Set(spans.map(({ spanId }) => spanId));
    for (const { url } of [stack.s3, stack.agentCoreIdentity, stack.bedrock]) {
      const [first] = ofTrace(url);
      const [, , spanId = ''] = (first?.trace.traceparent ?? '').split('-');
      expect(ids).toContain(spanId);
      expect(first?.trace['x-amzn-trace-id']).toBe(
        `Root=1-aaaaaaaa-${'a'.repeat(24)};Parent=${spanId};Sampled=1`,
      );
      expect(first?.signed).toContain('host');
      expect(first?.signed).not.toContain('trace');
    }
    const toGitHub = sent.filter(({ origin }) => origin === new URL(stack.gitHub.apiBase).origin);
    expect(toGitHub.length).toBeGreaterThan(0);
    expect(toGitHub.filter(({ trace }) => Object.keys(trace).length > 0)).toEqual([]);
  });

  it('has its ids in the log lines of the request and of the run', async () => {
    const traceId = 'b'.repeat(32);
    await invoke({ traceparent: `00-${traceId}-${CALLER}-01` });
    const spans = await exported(traceId);
    await eventually(() =>
      lines().some((line) => line.traceId === traceId && line.event === 'request_ended'),
    );
    const ofTrace = lines().filter((line) => line.traceId === traceId);
    const request = named(spans, 'POST /invocations');
    expect(ofTrace.map(({ event }) => event).sort()).toEqual(
      expect.arrayContaining(['request_ended', 'run_ended']),
    );
    for (const line of ofTrace) expect(spans.map(({ spanId }) => spanId)).toContain(line.spanId);
    expect(ofTrace.find(({ event }) => event === 'request_ended')?.spanId).toBe(request.spanId);
    const [ended] = ofTrace.filter(({ event }) => event === 'run_ended');
    expect(ended).toMatchObject({ outcome: 'success', modelCalls: 2, retries: 0, inputTokens: 2 });
    expect(ended?.outputTokens).toBeGreaterThan(0);
    expect(ended?.timeToFirstTextMs).toBeLessThanOrEqual(Number(ended?.durationMs));
  });

  it('counts the requests that were sent to the model again, and marks what failed', async () => {
    const fault = { kind: 'answer', status: 503, body: '{"message":"canary-upstream"}' } as const;
    world.stack.bedrock.faults.plan(/converse-stream/, fault, 1);
    await invoke({ traceparent: `00-${'c'.repeat(32)}-${CALLER}-01` });
    const ended = (traceId: string): Record<string, unknown> | undefined =>
      lines().find((line) => line.traceId === traceId && line.event === 'run_ended');
    await eventually(() => ended('c'.repeat(32)) !== undefined);
    expect(ended('c'.repeat(32))).toMatchObject({ outcome: 'success', retries: 1 });
    world.stack.bedrock.faults.plan(/converse-stream/, fault);
    await invoke({ traceparent: `00-${'d'.repeat(32)}-${CALLER}-01` });
    const agent = named(await exported('d'.repeat(32)), 'invoke_agent OnBehalf');
    expect(agent).toMatchObject({
      status: { code: 2 },
      attributes: { 'error.type': 'model_unavailable', 'onbehalf.run.outcome': 'error' },
    });
    expect(ended('d'.repeat(32))).toMatchObject({
      outcome: 'error',
      code: 'model_unavailable',
      modelCalls: 1,
      retries: 2,
    });
  });

  it('has metrics, and nothing of what users, providers and models said', async () => {
    world.stack.bedrock.model = ({ messages }) =>
      JSON.stringify(messages.at(-1)).includes('toolResult')
        ? { text: ANSWER, toolUses: [] }
        : { text: '', toolUses: [{ name: 'get_github_user', input: {} }] };
    const traceId = 'e'.repeat(32);
    const run = await invoke({ traceparent: `00-${traceId}-${CALLER}-01` });
    expect(run.text).toBe(ANSWER);
    expect(JSON.stringify(run.results)).toContain('alice-octo');
    await exported(traceId);
    // Their last measurements are sent when they end.
    await world.roles.stop();
    const names = new Set(receiver.metrics.map(({ name }) => name));
    for (const name of [
      'gen_ai.client.token.usage',
      'gen_ai.client.operation.duration',
      'gen_ai.client.operation.time_to_first_chunk',
      'http.server.request.duration',
      'onbehalf.runs.in_progress',
    ])
      expect(names).toContain(name);
    const running = receiver.metrics.filter(({ name }) => name === 'onbehalf.runs.in_progress').at(-1);
    expect(running?.points.map(({ asInt }) => asInt)).toEqual([0]);
    const tokens = receiver.metrics.filter(({ name }) => name === 'gen_ai.client.token.usage').at(-1);
    const types = tokens?.points.map(({ attributes }) => attributes['gen_ai.token.type']) ?? [];
    expect(types.sort()).toEqual(['input', 'output']);
    expect(receiver.resource()).toMatchObject({
      'service.name': expect.stringMatching(/^onbehalf-(agent|session-binding)$/),
      'deployment.environment.name': 'local',
      'cloud.zone': 'a',
      team: 'blue team',
    });
    expect([...receiver.scopes]).toEqual(['onbehalf']);
    expect(secretsIn(receiver.bytes())).toEqual([]);
    // The search finds what is there.
    expect(secretsIn(Buffer.from(`x${Buffer.from(`ab${CANARY}`).toString('base64')}x`))).not.toEqual([]);
  });

  /** The texts of which a trace was found, in any of the forms that bytes are written in. */
  const secretsIn = (bytes: Buffer): readonly string[] => {
    const sub = subjectOf('alice@example.com');
    const told = [CANARY, 'canary', 'alice', 'alice-octo', sub, 'Let me look that up', 'untrusted'];
    const texts = [...told, 'You are OnBehalf', ...world.stack.agentCoreIdentity.vault.secrets()];
    const exportedText = bytes.toString('utf8').toLowerCase();
    return texts.filter((text) => formsOf(text).some((form) => exportedText.includes(form.toLowerCase())));
  };

  it.each([
    ['refuses', { kind: 'answer', status: 400, body: '{"message":"canary-collector"}' }, true],
    ['hangs', { kind: 'hang' }, false],
  ] as const)('lets the role work and end while the collector %s', async (_what, fault, isReported) => {
    const dead = await startOtlpReceiver();
    dead.faults.plan(/v1/, fault);
    const environment = { ...world.stack.environment('agent'), OTEL_EXPORTER_OTLP_ENDPOINT: dead.url };
    const agent = await startRole('agent', { environment });
    const headers = { 'x-amzn-oidc-data': tokenOf(world.stack) };
    expect((await fetch(`${agent.url}/sessions`, { headers })).status).toBe(200);
    if (isReported)
      await eventually(() => agent.output().includes('"telemetry_not_sent"'), EXPORTED_WITHIN_MS);
    await agent.stop();
    expect(await agent.exited).toBe(0);
    expect(agent.output()).not.toContain('canary');
    await dead.close();
  });

  it('is not recorded without an endpoint: no module of the SDK is loaded, and a trace is still handed on', async () => {
    const file = join(folder, 'modules');
    const recorder = (name: string): string => new URL(`../support/${name}`, import.meta.url).href;
    const environment = {
      ...world.stack.environment('agent'),
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      NODE_OPTIONS: `--import ${recorder('record-modules.mjs')} --import ${recorder('record-trace-headers.mjs')}`,
      RECORD_MODULES: file,
      RECORD_TRACE_HEADERS: join(folder, 'passed-on'),
    };
    const agent = await startRole('agent', { environment });
    const traceId = 'f'.repeat(32);
    await fetch(`${agent.url}/sessions`, {
      headers: {
        'x-amzn-oidc-data': tokenOf(world.stack),
        traceparent: `00-${traceId}-${CALLER}-01`,
      },
    });
    await agent.stop();
    const modules = new Set(
      [...readFileSync(file, 'utf8').matchAll(/node_modules\/@opentelemetry\/([\w-]+)\//g)].map(
        ([, name]) => name,
      ),
    );
    expect([...modules]).toEqual(['api']);
    expect(readFileSync(join(folder, 'passed-on'), 'utf8')).toContain(`00-${traceId}-${CALLER}-01`);
    const line = agent
      .output()
      .split('\n')
      .find((each) => each.includes('request_ended'));
    expect(JSON.parse(line ?? '')).toMatchObject({ traceId, spanId: CALLER });
  });
});

/** A text as itself, hexadecimal, URL-encoded, and in base64 at each of its three offsets. */
function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64url');
    const whole = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return [whole, whole.replaceAll('-', '+').replaceAll('_', '/')];
  });
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    bytes.toString('hex'),
    encodeURIComponent(text),
    ...base64,
  ];
}
