import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Fault, FaultSwitch } from '../../../local/lib/faults.ts';
import type { HttpBrowser } from '../../../local/lib/http-browser.ts';
import { invoke } from '../../../local/lib/invoke.ts';
import { connectAlice } from '../../support/connected-user.ts';
import { connectUrlOf, eventually, World } from '../../support/world.ts';

const WHO = 'Who am I on GitHub?';
const REPOSITORIES = 'List my repositories on GitHub';

const FAULTS: Readonly<Record<string, Fault>> = {
  'does not answer': { kind: 'hang' },
  'stops after the head of its answer': { kind: 'stall' },
  'answers a byte at a time': { kind: 'drip', everyMs: 100 },
  'closes the connection': { kind: 'reset' },
  'breaks off its answer': { kind: 'truncate' },
  'answers 400': { kind: 'answer', status: 400, body: '{}' },
  'answers 429': { kind: 'answer', status: 429, body: '{}' },
  'answers 503': { kind: 'answer', status: 503, body: '{}' },
  'answers 200 with garbage': { kind: 'answer', status: 200, body: '\u0000garbage' },
};

/** One dependency at one point of a turn: where it fails, what a user does then, and the codes that the user may be told. */
interface Cell {
  readonly name: string;
  readonly faults: (world: World) => FaultSwitch;
  readonly path: RegExp;
  /** What the user gets. */
  readonly act: (player: Player) => Promise<string>;
  readonly codes: readonly string[];
  /** How often it may be tried; default three times. */
  readonly attempts?: number;
}

/** A user in a world, with a new conversation. */
interface Player {
  readonly world: World;
  readonly alice: HttpBrowser;
  readonly session: string;
}

const s3 = ({ stack }: World): FaultSwitch => stack.s3.faults;
const identity = ({ stack }: World): FaultSwitch => stack.agentCoreIdentity.faults;
const gitHub = ({ stack }: World): FaultSwitch => stack.gitHub.faults;
const bedrock = ({ stack }: World): FaultSwitch => stack.bedrock.faults;

const say =
  (message: string) =>
  async ({ world, alice, session }: Player): Promise<string> =>
    (await world.ask(alice, session, message)).raw;
const open =
  (path: string, method = 'GET') =>
  async ({ world, alice }: Player): Promise<string> =>
    (await alice.request(`${world.url}${path}`, { method })).text;

/** A user who has not connected GitHub asks who they are there. */
const askAs =
  (username: string) =>
  async ({ world, session }: Player): Promise<string> =>
    (await world.ask(await world.signIn(username), session, WHO)).raw;
/** Alice asks for an issue, and approves it. */
const write = async ({ world, alice, session }: Player): Promise<string> => {
  const paused = await world.ask(alice, session, 'Open an issue "Lamp" in alice-octo/tram-times');
  const resume = paused.interrupts.map(({ id }) => ({
    interruptId: id,
    status: 'resolved',
    payload: { approved: true },
  }));
  return (await invoke(alice, world.url, { sessionId: session, resume })).raw;
};

/** Another task has a claim on the conversation. */
function claimByAnother({ world, session }: Player): void {
  const { store } = world.stack.s3;
  const stored = store.all().find(({ key }) => key.endsWith(`/${session}/working-set.json`));
  if (stored === undefined) throw new Error('there is no conversation');
  const { bucket, key, body } = stored;
  const set = JSON.parse(body.toString()) as { readonly turns: number };
  const claim = { seq: set.turns + 1, runId: 'other', task: 'another', startedAt: Date.now() };
  store.put(bucket, key, Buffer.from(JSON.stringify({ ...set, claim })), {});
}

const IDENTITY = ['identity_unavailable', 'identity_misconfigured'];
const STORE = ['sessions_unavailable', 'session_unreadable'];

const CELLS: readonly Cell[] = [
  {
    name: 'the model',
    faults: bedrock,
    path: /./,
    act: say('hello'),
    codes: ['model_unavailable', 'model_rejected', 'model_throttled'],
  },
  {
    name: 'AgentCore Identity, asked for a workload access token',
    faults: identity,
    path: /GetWorkloadAccessToken/,
    act: askAs('bob@example.com'),
    codes: IDENTITY,
  },
  {
    name: 'AgentCore Identity, asked for a token',
    faults: identity,
    path: /oauth2\/token/,
    act: say(WHO),
    codes: IDENTITY,
  },
  {
    name: 'GitHub',
    faults: gitHub,
    path: /GET \/api\//,
    act: say(WHO),
    codes: ['provider_', 'tool_output_invalid'],
  },
  {
    name: 'GitHub, asked to write',
    faults: gitHub,
    path: /POST \/api\//,
    act: write,
    codes: ['tool_outcome_unknown', 'provider_rejected', 'provider_rate_limited'],
    attempts: 1,
  },
  { name: 'S3, read before a turn', faults: s3, path: /GET .*working-set/, act: say('hello'), codes: STORE },
  {
    name: 'S3, claiming a conversation',
    faults: s3,
    path: /PUT .*working-set/,
    act: say('hello'),
    codes: STORE,
  },
  { name: 'S3, writing the index', faults: s3, path: /PUT .*\/index\//, act: say('hello'), codes: STORE },
  {
    name: 'S3, reading the lease of another task',
    faults: s3,
    path: /HEAD .*tasks\//,
    act: async (player) => {
      await say('hello')(player);
      claimByAnother(player);
      return say('hello again')(player);
    },
    codes: STORE,
  },
  {
    name: 'S3, reading a connection',
    faults: s3,
    path: /GET .*\/connections\//,
    act: say(WHO),
    codes: STORE,
  },
  {
    name: 'S3, recording a flow',
    faults: s3,
    path: /PUT .*\/flows\//,
    act: askAs('bob@example.com'),
    codes: ['flows_unavailable'],
  },
  {
    name: 'S3, listing conversations',
    faults: s3,
    path: /GET .*list-type.*index/,
    act: open('/sessions'),
    codes: STORE,
  },
  {
    name: 'S3, reading a conversation for its user',
    faults: s3,
    path: /GET .*working-set/,
    act: open('/sessions/consent'),
    codes: STORE,
  },
  {
    name: 'S3, deleting a conversation',
    faults: s3,
    path: /POST .*delete/,
    act: async (player) => {
      await say('hello')(player);
      return open(`/sessions/${player.session}`, 'DELETE')(player);
    },
    codes: STORE,
  },
];

/** How much longer than a deadline an answer may take. */
const MORE_MS = 1_000;
const KEY_HOST_MS = 2_500;

describe('when a dependency fails', () => {
  let world: World;
  let alice: HttpBrowser;
  let number = 0;

  beforeAll(async () => {
    const environment = {
      CALL_DEADLINE_SECONDS: '1',
      MODEL_FIRST_BYTE_SECONDS: '1',
      MODEL_IDLE_SECONDS: '1',
    };
    world = await World.start({}, { environment });
    alice = await connectAlice(world, WHO);
    const paused = await world.ask(alice, 'repositories', REPOSITORIES);
    await world.consent(alice, connectUrlOf(paused), 'alice-octo');
    await world.resume(alice, 'repositories', ['interrupt-1']);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    number += 1;
    // An answer closes the circuit of S3, which the failures before may have opened.
    await eventually(async () => (await alice.request(`${world.url}/sessions`)).status === 200);
  });

  const rows = CELLS.flatMap((cell) => Object.keys(FAULTS).map((fault) => [cell.name, fault, cell] as const));
  it.each(rows)('%s %s: the user is told in time', async (_name, fault, cell) => {
    const { faults, path, act, codes, attempts = 3 } = cell;
    const session = `cell-${String(number)}`;
    const planned = faults(world).plan(path, FAULTS[fault] ?? { kind: 'hang' });
    const startedAt = performance.now();
    const told = await act({ world, alice, session });
    const tookMs = performance.now() - startedAt;
    planned.remaining = 0;
    expect(planned.met).toBeGreaterThan(0);
    expect(planned.met).toBeLessThanOrEqual(attempts);
    expect(codes.filter((code) => told.includes(code))).not.toEqual([]);
    expect(tookMs).toBeLessThan(1_000 + MORE_MS);
    for (const { process } of [world.roles.agent, world.roles.sessionBinding])
      expect(process.exitCode).toBeNull();
  });

  it.each(Object.keys(FAULTS))(
    'AgentCore Identity %s, asked to complete a flow: a page tells it',
    async (fault) => {
      const carol = await world.signIn('carol@example.com');
      const paused = await world.ask(carol, `flow-${String(number)}`, WHO);
      const back = await world.consentUpToBinding(carol, connectUrlOf(paused), 'carol-octo');
      const planned = identity(world).plan(/CompleteResourceTokenAuth/, FAULTS[fault] ?? { kind: 'hang' });
      const startedAt = performance.now();
      const page = await carol.navigate(back);
      expect(performance.now() - startedAt).toBeLessThan(1_000 + MORE_MS);
      planned.remaining = 0;
      expect(planned.met).toBe(1);
      if (fault !== 'answers 200 with garbage') expect(page.status).toBeGreaterThanOrEqual(500);
    },
  );

  it.each(Object.keys(FAULTS))('the key host %s: a user with a new key is told in time', async (fault) => {
    const { keyFaults, signer } = world.stack.loadBalancer;
    const planned = keyFaults.plan(/./, FAULTS[fault] ?? { kind: 'hang' });
    signer.rotate();
    const startedAt = performance.now();
    const answer = await alice.request(`${world.url}/sessions`);
    expect(performance.now() - startedAt).toBeLessThan(KEY_HOST_MS + MORE_MS);
    keyFaults.clear();
    expect(planned.met).toBe(1);
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('sign_in_keys_unavailable');
  });

  it('goes on when everything answers again', async () => {
    const again = await world.ask(alice, 'again', WHO);
    expect(again.results).toMatchObject([{ data: { login: 'alice-octo' } }]);
  });
});

describe('when a run is to end while a dependency does not answer', () => {
  const DEADLINE_SECONDS = 2;
  let world: World;
  let alice: HttpBrowser;

  beforeAll(async () => {
    world = await World.start(
      {},
      { environment: { RUN_DEADLINE_SECONDS: String(DEADLINE_SECONDS), RUN_GRACE_SECONDS: '0' } },
    );
    alice = await connectAlice(world, WHO);
  });
  afterAll(() => world.close());

  const places: readonly (readonly [string, (world: World) => FaultSwitch, RegExp, string])[] = [
    ['the model', bedrock, /./, 'hello'],
    ['AgentCore Identity', identity, /oauth2\/token/, WHO],
    ['GitHub', gitHub, /GET \/api\//, WHO],
    ['the store of connections', s3, /GET .*\/connections\//, WHO],
    ['the flow ledger', s3, /PUT .*\/flows\//, REPOSITORIES],
  ];

  it.each(places)('its deadline ends it: %s', async (name, faults, path, message) => {
    const planned = faults(world).plan(path, { kind: 'hang' });
    const startedAt = performance.now();
    const told = await world.ask(alice, `deadline-${name.replaceAll(' ', '-')}`, message);
    const tookMs = performance.now() - startedAt;
    planned.remaining = 0;
    expect(planned.met).toBeGreaterThan(0);
    expect(told.last).toMatchObject({ type: 'RUN_ERROR' });
    expect(tookMs).toBeLessThan(DEADLINE_SECONDS * 1_000 + MORE_MS);
  });

  it.each(places)('its client leaves: %s', async (name, faults, path, message) => {
    const session = `left-${name.replaceAll(' ', '-')}`;
    const planned = faults(world).plan(path, { kind: 'hang' });
    const leaving = new AbortController();
    const left = alice
      .request(`${world.url}/invocations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ sessionId: session, message }),
        signal: leaving.signal,
      })
      .catch(() => undefined);
    await eventually(() => planned.met > 0);
    const startedAt = performance.now();
    leaving.abort();
    await left;
    await eventually(async () =>
      (await alice.request(`${world.url}/sessions/${session}`)).text.includes('"outcome":"cancelled"'),
    );
    expect(performance.now() - startedAt).toBeLessThan(MORE_MS);
    planned.remaining = 0;
  });
});
