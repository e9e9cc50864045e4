import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import type { RoleProcess } from '../../local/lib/role-process.ts';
import { AlbSigner } from '../../local/load-balancer/signer.ts';
import { tokenOf } from '../../test/support/tokens.ts';
import { connectUrlOf, eventually, World } from '../../test/support/world.ts';
import { figuresOf, isMet, matches, type AlarmProperties, type Figures } from './cloudwatch.ts';
import { exampleTemplates } from './support.ts';

const { template, ofType } = exampleTemplates();
const ALARMS = Object.fromEntries(
  ofType('AWS::CloudWatch::Alarm').map(([id, properties]) => [
    id.replace(/^Observability/, '').replace(/[0-9A-F]{8}$/, ''),
    properties as unknown as AlarmProperties,
  ]),
);
const metBy = (figures: Figures): readonly string[] =>
  Object.entries(ALARMS)
    .filter(([name, alarm]) => isMet(alarm, name, figures))
    .map(([name]) => name)
    .sort();

/** Values of metrics that only AWS has, on a quiet day. */
const QUIET: Figures = {
  BlockedRequests: 0,
  'DeliveryToS3.DataFreshness': 60,
  DeliveryErrors: 0,
  TargetResponseTime: 0.1,
};
const TIMES = 5;

describe('an outage, played on the local stack', () => {
  let world: World;
  let alice: HttpBrowser;
  let seen: Readonly<Record<'agent' | 'sessionBinding', number>>;
  let counted: Readonly<Record<string, number>>;
  let number = 0;

  const start = async (): Promise<void> => {
    world = await World.start();
    alice = await world.signIn('alice@example.com');
  };
  const countFromHere = (): void => {
    const { agent, sessionBinding } = world.roles;
    seen = { agent: agent.output().length, sessionBinding: sessionBinding.output().length };
    counted = { ...world.stack.loadBalancer.counts };
  };
  beforeAll(start);
  afterAll(() => world.close());
  beforeEach(countFromHere);
  afterEach(() => {
    const { loadBalancer, identityProvider, agentCoreIdentity, gitHub, bedrock, s3 } = world.stack;
    for (const { faults } of [loadBalancer, identityProvider, agentCoreIdentity, gitHub, bedrock, s3])
      faults.clear();
    loadBalancer.keyFaults.clear();
  });

  const isHealthy = async ({ url }: RoleProcess): Promise<boolean> =>
    (await fetch(`${url}/ready`, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined))?.status ===
    200;
  const isRunning = ({ process }: RoleProcess): boolean =>
    process.exitCode === null && process.signalCode === null;

  /** The log lines and counters since the case began, and the current state of the tasks. */
  const figures = async (): Promise<Figures> => {
    await delay(100);
    const { agent, sessionBinding } = world.roles;
    const text = agent.output().slice(seen.agent) + sessionBinding.output().slice(seen.sessionBinding);
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as object);
    const front = Object.entries(world.stack.loadBalancer.counts).map(([name, value]): [string, number] => [
      name,
      (value as number) - (counted[name] ?? 0),
    ]);
    const tasks = await Promise.all(
      (
        [
          ['Agent', agent],
          ['SessionBinding', sessionBinding],
        ] as const
      ).map(async ([role, task]) => {
        const healthy = Number(await isHealthy(task));
        return [
          [`HealthyHostCount ${role}`, healthy],
          [`UnHealthyHostCount ${role}`, 1 - healthy],
          [`DesiredTaskCount ${role}`, 1],
          [`RunningTaskCount ${role}`, Number(isRunning(task))],
        ] as const;
      }),
    );
    return { ...QUIET, ...figuresOf(template, lines), ...Object.fromEntries([...front, ...tasks.flat()]) };
  };
  const times = async (count: number, work: (index: number) => Promise<unknown>): Promise<void> => {
    await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
  };
  const session = (): string => `alarm-${String((number += 1))}`;
  const ask = (text = 'hello'): Promise<unknown> => world.ask(alice, session(), text);
  const consentOf = async (browser = alice): Promise<string> => {
    world.stack.agentCoreIdentity.vault.reset();
    return connectUrlOf(await world.ask(browser, session(), 'Who am I on GitHub?'));
  };

  it('causes no alarm in a healthy run: answers, a consent, a denial, a mistake of the user', async () => {
    await ask();
    const paused = await world.ask(alice, 'healthy', 'Who am I on GitHub?');
    await world.consent(alice, connectUrlOf(paused), 'alice-octo');
    await world.resume(alice, 'healthy', ['interrupt-1']);
    const bob = await world.signIn('bob@example.com');
    await world.consent(bob, await consentOf(bob), 'bob-octo', 'cancel');
    await alice.navigate(await consentOf(bob));
    await alice.request(`${world.url}/sessions/nobody`);
    expect(metBy(await figures())).toEqual([]);
  });

  it('of the model: runs end in errors, in answers of 200', async () => {
    world.stack.bedrock.faults.plan(/converse/, { kind: 'answer', status: 500, body: '{"message":"x"}' });
    await times(TIMES, () => ask());
    expect(metBy(await figures())).toEqual(['FailedRuns']);
  }, 30_000);

  it('of its quota', async () => {
    const headers = { 'x-amzn-errortype': 'ThrottlingException' };
    world.stack.bedrock.faults.plan(/converse/, {
      kind: 'answer',
      status: 429,
      headers,
      body: '{"message":"x"}',
    });
    for (let round = 0; round < 2; round += 1) await times(TIMES, () => ask());
    expect(metBy(await figures())).toEqual(['Throttled']);
  }, 30_000);

  it('of the store', async () => {
    world.stack.s3.faults.plan(/./, { kind: 'reset' });
    await times(TIMES, () => ask());
    expect(metBy(await figures())).toEqual(['ServerErrors', 'StoreFailures']);
  }, 30_000);

  it('of the store during runs: runs that cannot be saved end in errors', async () => {
    // The circuit of the case before is still open.
    await eventually(async () => (await alice.request(`${world.url}/sessions`)).status === 200);
    countFromHere();
    const slow = world.stack.bedrock.faults.plan(/converse/, { kind: 'delay', ms: 1_000 });
    const asked = times(TIMES, () => ask());
    await eventually(() => slow.met === TIMES);
    await delay(200);
    world.stack.s3.faults.plan(/PUT .*working-set/, { kind: 'answer', status: 500 });
    await asked;
    expect(metBy(await figures())).toEqual(['FailedRuns', 'StoreFailures']);
  }, 30_000);

  it('of the flow ledger alone: session binding may read nothing', async () => {
    const url = await consentOf();
    const body = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
    world.stack.s3.faults.plan(/GET .*flows/, { kind: 'answer', status: 403, body });
    await times(20, () => alice.navigate(url));
    expect(metBy(await figures())).toEqual(['HiddenObjects', 'RefusedConsents']);
  });

  it('of AgentCore Identity: no token, and no binding', async () => {
    const back = await world.consentUpToBinding(alice, await consentOf(), 'alice-octo');
    world.stack.agentCoreIdentity.faults.plan(/POST/, { kind: 'reset' });
    await times(TIMES, () => ask('Who am I on GitHub?'));
    await alice.navigate(back);
    expect(metBy(await figures())).toEqual(['FailedBindings', 'IdentityFailures']);
  }, 30_000);

  it('of the identity provider: nobody new is signed in', async () => {
    world.stack.identityProvider.faults.plan(/POST \/token/, { kind: 'reset' });
    await times(TIMES, () => world.signIn('bob@example.com'));
    expect(metBy(await figures())).toEqual(['SignInErrors']);
  });

  it('of the key host, with a new key', async () => {
    world.stack.loadBalancer.signer.rotate();
    world.stack.loadBalancer.keyFaults.plan(/./, { kind: 'reset' });
    await times(TIMES, () => alice.request(`${world.url}/sessions`));
    expect(metBy(await figures())).toEqual(['KeyFailures', 'ServerErrors']);
    // A key host that has failed is not asked for a second.
    await delay(1_000);
  });

  it('of no part, but an attack: forged tokens, links of other users, callbacks of other users', async () => {
    const forged = tokenOf(world.stack, {}, new AlbSigner());
    const headers = { 'x-amzn-oidc-data': forged };
    await times(100, () => fetch(`${world.roles.agent.url}/sessions`, { headers }));
    expect(metBy(await figures())).toEqual(['RefusedSignIns']);
    const url = await consentOf();
    const bob = await world.signIn('bob@example.com');
    await times(20, () => bob.navigate(url));
    await times(20, (index) =>
      bob.navigate(
        `${world.url}/oauth2/session-binding?session_id=urn:ietf:params:oauth:request_uri:x${String(index)}`,
      ),
    );
    expect(metBy(await figures())).toEqual([
      'HiddenObjects',
      'RefusedBindings',
      'RefusedConsents',
      'RefusedSignIns',
    ]);
  });

  it('of a task that hangs', async () => {
    const { process } = world.roles.sessionBinding;
    process.kill('SIGSTOP');
    const met = metBy(await figures());
    process.kill('SIGCONT');
    expect(met).toEqual(['NoneSessionBinding', 'UnhealthySessionBinding']);
  });

  it.each([
    ['agent', 'Agent', '/sessions'],
    ['sessionBinding', 'SessionBinding', '/oauth2/connect'],
  ] as const)(
    'of every %s task: the load balancer itself answers, and no target counts a request',
    async (role, name, path) => {
      await world.close();
      await start();
      countFromHere();
      world.roles[role].process.kill('SIGKILL');
      await world.roles[role].exited;
      await times(TIMES, () => alice.request(`${world.url}${path}`));
      const figured = await figures();
      expect(figured.HTTPCode_Target_5XX_Count).toBe(0);
      expect(metBy(figured)).toEqual(
        ['FrontErrors', `Missing${name}`, `None${name}`, `Unhealthy${name}`].sort(),
      );
    },
    30_000,
  );
});

describe('a condition that a laptop cannot produce', () => {
  const healthy: Figures = {
    ...QUIET,
    ...Object.fromEntries(
      ['Agent', 'SessionBinding'].flatMap((role) => [
        [`HealthyHostCount ${role}`, 2],
        [`DesiredTaskCount ${role}`, 2],
        [`RunningTaskCount ${role}`, 2],
      ]),
    ),
  };

  it.each<[string, Figures, readonly string[]]>([
    ['the firewall refuses much', { BlockedRequests: 500 }, ['Blocked']],
    ['audit lines wait', { 'DeliveryToS3.DataFreshness': 900 }, ['AuditDelayed']],
    ['audit lines are lost', { DeliveryErrors: 1 }, ['AuditLost0', 'AuditLost1']],
    ['session binding is slow', { TargetResponseTime: 3.1 }, ['BindingLatency']],
    [
      'no more agent tasks may start',
      { 'DesiredTaskCount Agent': 20, 'RunningTaskCount Agent': 20 },
      ['MaximumAgent'],
    ],
    [
      'no more session-binding tasks may start',
      { 'DesiredTaskCount SessionBinding': 6, 'RunningTaskCount SessionBinding': 6 },
      ['MaximumSessionBinding'],
    ],
  ])('triggers its alarm with the value that AWS would measure: %s', (_name, change, expected) => {
    expect(metBy({ ...healthy, ...change })).toEqual(expected);
  });

  it('triggers an alarm when all data are missing', () => {
    const { 'HealthyHostCount Agent': _, ...rest } = healthy;
    expect(metBy(rest)).toEqual(['NoneAgent']);
  });

  it('covers every alarm in at least one case', () => {
    const played = [
      'FailedBindings',
      'FailedRuns',
      'FrontErrors',
      'HiddenObjects',
      'IdentityFailures',
      'KeyFailures',
      'MissingAgent',
      'MissingSessionBinding',
      'NoneAgent',
      'NoneSessionBinding',
      'RefusedBindings',
      'RefusedConsents',
      'RefusedSignIns',
      'ServerErrors',
      'SignInErrors',
      'StoreFailures',
      'Throttled',
      'UnhealthyAgent',
      'UnhealthySessionBinding',
    ];
    const figured = [
      'AuditDelayed',
      'AuditLost0',
      'AuditLost1',
      'BindingLatency',
      'Blocked',
      'MaximumAgent',
      'MaximumSessionBinding',
    ];
    expect(Object.keys(ALARMS).sort()).toEqual([...played, ...figured].sort());
  });
});

describe('a filter pattern', () => {
  it.each([
    ['{ $.event = "a" }', { event: 'a' }, true],
    ['{ $.event = "a" }', { event: 'b' }, false],
    ['{ $.event = "a" }', {}, false],
    ['{ ($.stream = "audit") && ($.event = "a") }', { stream: 'audit', event: 'a' }, true],
    ['{ ($.stream = "audit") && ($.event = "a") }', { stream: 'application', event: 'a' }, false],
    ['{ ($.code = "a") || ($.code = "b") }', { code: 'b' }, true],
    ['{ ($.event = "x") && (($.code = "a") || ($.code = "b")) }', { event: 'x', code: 'b' }, true],
    ['{ ($.event = "x") && (($.code = "a") || ($.code = "b")) }', { event: 'y', code: 'b' }, false],
  ])('%s is read as CloudWatch Logs reads it: %j, %s', (pattern, line, expected) => {
    expect(matches(pattern, line)).toBe(expected);
  });
});
