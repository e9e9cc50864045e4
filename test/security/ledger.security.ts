import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import { BUCKET } from '../../local/stack.ts';
import { flowIdOf, hasEnded, type FlowState } from '../../src/identity/flow/flow-record.js';
import { Claim } from '../support/assurance.ts';
import { Random } from '../support/random.ts';
import { tokenOf } from '../support/tokens.ts';
import { connectUrlOf, subjectOf, World } from '../support/world.ts';
import {
  ALICE,
  BOB,
  browserOf,
  flowCookie,
  flowOf,
  sendToResult,
  type Situation,
} from './binding-situation.ts';

/** A callback: the provider's answer, the signed-in user and the browser. A has the flow cookie, B does not. */
interface Step {
  readonly says: 'consent' | 'denial';
  readonly user: typeof ALICE | typeof BOB;
  readonly browser: 'A' | 'B';
}

const STEPS: readonly Step[] = (['consent', 'denial'] as const).flatMap((says) =>
  ([ALICE, BOB] as const).flatMap((user) =>
    (['A', 'B'] as const).map((browser) => ({ says, user, browser })),
  ),
);
const nameOf = ({ says, user, browser }: Step): string =>
  `${says} of ${user === ALICE ? 'Alice' : 'Bob'} in ${browser}`;

/** The state of a flow that Alice started in browser A, after a callback. A final state does not change. */
function after(state: FlowState, { says, user, browser }: Step): FlowState {
  if (hasEnded(state)) return state;
  if (user !== ALICE || browser !== 'A') return 'burnt';
  return says === 'denial' ? 'denied' : 'bound';
}

describe('the flow ledger with two tasks', () => {
  let world: World;
  let tasks: readonly [RoleProcess, RoleProcess];
  let alice: HttpBrowser;

  beforeAll(async () => {
    world = await World.start();
    const environment = world.stack.environment('session-binding');
    tasks = [world.roles.sessionBinding, await startRole('session-binding', { environment })];
    alice = await world.signIn(ALICE);
  });
  afterAll(async () => {
    await tasks[1].stop();
    await world.close();
  });

  const stateOf = ({ back }: Situation): FlowState => {
    const key = `flows/${flowIdOf(back.searchParams.get('session_id') ?? '')}.json`;
    const { body } = world.stack.s3.store.get(BUCKET, key, {});
    return (JSON.parse(body.toString()) as { readonly state: FlowState }).state;
  };
  const completions = (): number =>
    world.stack.agentCoreIdentity.calls.filter(({ operation }) => operation === 'CompleteResourceTokenAuth')
      .length;
  const isBound = (): boolean => world.vault() !== '{}';

  /** Plays a flow up to Alice's consent. Nobody has opened the callback yet. */
  const freshFlow = async (openAgain: boolean): Promise<Situation> => {
    world.stack.agentCoreIdentity.vault.reset();
    world.stack.agentCoreIdentity.behaviour.sessionsOpenAgain = openAgain;
    return flowOf(world, alice, 'alice-octo');
  };
  const play = async (
    situation: Situation,
    { says, user, browser }: Step,
    task: RoleProcess,
  ): Promise<number> => {
    const url = new URL(situation.back);
    if (says === 'denial') url.searchParams.set('error', 'access_denied');
    const cookie = browser === 'A' ? [['cookie', (await flowCookie(situation)).join('=')] as const] : [];
    const { status } = await sendToResult(task.url, url.pathname + url.search, [
      ['accept', 'text/html'],
      ['x-amzn-oidc-data', tokenOf(world.stack, { payload: { sub: subjectOf(user) } })],
      ...cookie,
    ]);
    return status;
  };

  it('row 26: the first callback decides how a flow ends, and later callbacks change nothing', async () => {
    const claim = new Claim(
      26,
      'two callbacks in sequence, in every order: consent or denial × two users × two browsers × two tasks: the first one decides',
      64,
    );
    for (const first of STEPS) {
      for (const second of STEPS) {
        const situation = await freshFlow(claim.parity());
        const before = completions();
        const expected = after(after('started', first), second);
        await play(situation, first, tasks[0]);
        await play(situation, second, tasks[1]);
        const completed = completions() - before;
        const holds =
          stateOf(situation) === expected &&
          isBound() === (expected === 'bound') &&
          completed === Number(expected === 'bound');
        claim.check(
          () =>
            `${nameOf(first)}, then ${nameOf(second)}: ${stateOf(situation)}, ${String(completed)} completions`,
          holds,
        );
      }
    }
    claim.finish();
  }, 120_000);

  /** Sends callbacks in parallel to alternating tasks, and checks that the flow ended once, as one of them decides. */
  const playAtOnce = async (claim: Claim, steps: readonly Step[]): Promise<void> => {
    const situation = await freshFlow(claim.parity());
    const before = completions();
    await Promise.all(
      steps.map((step, index) => play(situation, step, index % 2 === 0 ? tasks[0] : tasks[1])),
    );
    const state = stateOf(situation);
    const possible = new Set(steps.map((step) => after('started', step)));
    const completed = completions() - before;
    claim.check(
      () => `${steps.map(nameOf).join(' and ')}: ${state}, ${String(completed)} completions`,
      possible.has(state) && isBound() === (state === 'bound') && completed === Number(state === 'bound'),
    );
  };

  it('row 26: a flow ends once when callbacks come in parallel', async () => {
    const pairs = new Claim(
      26,
      'every pair of parallel callbacks, with two tasks: the flow ended once, and was bound only by its user in its browser',
      64,
    );
    for (const first of STEPS) for (const second of STEPS) await playAtOnce(pairs, [first, second]);
    pairs.finish();
    const threes = new Claim(26, 'three random parallel callbacks, with two tasks: the same', 100);
    const random = new Random(26);
    for (let round = 0; round < 100; round += 1)
      await playAtOnce(threes, [random.pick(STEPS), random.pick(STEPS), random.pick(STEPS)]);
    threes.finish();
  }, 180_000);

  it("row 26: knowledge of the state does not help an attacker, even if the provider's session can be opened twice", async () => {
    const claim = new Claim(
      26,
      'Mallory makes the victim consent to her flow, and opens the callback herself: nothing is bound',
      4,
    );
    const mallory = await world.signIn(BOB);
    const asked = async (): Promise<{ readonly provider: string; readonly url: string }> => {
      world.stack.agentCoreIdentity.vault.reset();
      world.stack.agentCoreIdentity.behaviour.sessionsOpenAgain = true;
      const url = connectUrlOf(
        await world.ask(mallory, `mallory-${String(Math.random()).slice(2)}`, 'Who am I on GitHub?'),
      );
      const provider = (await mallory.submit(await mallory.navigate(url))).headers.get('location') ?? '';
      return { provider, url };
    };
    const atProvider = async (
      browser: HttpBrowser,
      provider: string,
      login: string,
      action: string,
    ): Promise<string> => {
      let page = await browser.navigate(provider);
      if (page.text.includes('name="login"')) page = await browser.submitAndFollow(page, { login });
      const back = await browser.submitAndFollow(page, { action }, (next) =>
        next.includes('/oauth2/session-binding'),
      );
      return back.url;
    };
    const victim = (): Promise<HttpBrowser> => browserOf({ world } as Situation, ALICE);

    const first = await asked();
    const denied = await atProvider(mallory, first.provider, 'bob-octo', 'cancel');
    await mallory.navigate(denied);
    const success = denied.replace(/&?error=[^&]*/, '');
    await atProvider(await victim(), first.provider, 'alice-octo', 'authorize');
    claim.check(
      'after her own denial',
      (await mallory.navigate(success)).text.includes('did not authorize') && !isBound(),
    );

    const second = await asked();
    const withheld = await atProvider(mallory, second.provider, 'bob-octo', 'cancel');
    const theirs = await victim();
    await theirs.navigate(await atProvider(theirs, second.provider, 'alice-octo', 'authorize'));
    const came = await mallory.navigate(withheld.replace(/&?error=[^&]*/, ''));
    claim.check(
      'she does not deliver her denial, and the victim returns',
      came.text.includes('was stopped') && !isBound(),
    );

    const third = await asked();
    const other = await victim();
    const wrong = await other.navigate(await atProvider(other, third.provider, 'alice-octo', 'authorize'));
    claim.check('the victim is refused', wrong.status === 403 && !isBound());
    claim.check(
      'her link shows that the flow has ended',
      (await mallory.navigate(third.url)).text.includes('was stopped'),
    );
    claim.finish();
  }, 60_000);
});
