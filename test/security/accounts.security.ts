import { afterAll, beforeAll, beforeEach, describe, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke, type Invocation } from '../../local/lib/invoke.ts';
import { auditLines } from '../support/audit.ts';
import { Claim } from '../support/assurance.ts';
import { comesToHold, connectUrlOf, World } from '../support/world.ts';

const WHO = 'Who am I on GitHub?';
const REPOSITORIES = 'List my repositories on GitHub';

describe("a user's two consents at one provider", () => {
  let world: World;
  let number = 0;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(() => world.reset());

  /** Alice has connected alice-octo for one scope, and consents to the other scope as bob-octo in another browser. */
  const twoAccounts = async (): Promise<{ browser: HttpBrowser; session: string; changed: Invocation }> => {
    await world.reset();
    const session = `accounts-${String((number += 1))}`;
    const browser = await world.signIn('alice@example.com');
    const paused = await world.ask(browser, session, WHO);
    await world.consent(browser, connectUrlOf(paused), 'alice-octo');
    await world.resume(browser, session, ['interrupt-1']);
    const second = await world.ask(browser, session, REPOSITORIES);
    const elsewhere = await world.signIn('alice@example.com');
    await world.consent(elsewhere, connectUrlOf(second), 'bob-octo');
    return { browser, session, changed: await world.resume(browser, session, ['interrupt-2']) };
  };
  const answer = (
    { browser, session, changed }: Awaited<ReturnType<typeof twoAccounts>>,
    status: string,
    payload?: object,
  ): Promise<Invocation> => {
    const interruptId = changed.interrupts[0]?.id ?? '';
    const resume = [{ interruptId, status, ...(payload !== undefined && { payload }) }];
    return invoke(browser, world.url, { sessionId: session, resume });
  };

  it('are never mixed without the user’s approval', async () => {
    const claim = new Claim(
      0,
      'accounts: a second consent with another account is shown to the user, and used only after the user’s approval',
      12,
    );
    const first = await twoAccounts();
    const [interrupt] = first.changed.interrupts;
    claim.check('the user is asked', interrupt?.reason === 'account_changed');
    claim.check(
      'both accounts are named',
      interrupt?.metadata.before === 'alice-octo' && interrupt.metadata.now === 'bob-octo',
    );
    claim.check('nothing of the other account is shown', !first.changed.raw.includes('bob-octo/'));
    const declined = await answer(first, 'cancelled');
    claim.check(
      'declined: the tool is not called',
      declined.raw.includes('account_declined') && !declined.raw.includes('bob-octo/'),
    );

    const switched = await answer(await twoAccounts(), 'resolved', { switch: true });
    claim.check(
      'switched: the tool answers as the other account',
      switched.last?.outcome?.type === 'success' && switched.raw.includes('bob-octo/'),
    );

    const kept = await twoAccounts();
    const again = await answer(kept, 'resolved', { switch: false });
    claim.check(
      'kept: another consent is asked for',
      again.interrupts[0]?.reason === 'authorization_required',
    );
    const page = await kept.browser.navigate(connectUrlOf(again));
    claim.check(
      'show the account that was connected before',
      page.text.includes('alice-octo, which you connected before'),
    );
    await world.consent(kept.browser, connectUrlOf(again), 'alice-octo');
    const resumed = await world.resume(kept.browser, kept.session, [again.interrupts[0]?.id ?? '']);
    claim.check(
      'and the tool answers as the previous account',
      resumed.raw.includes('alice-octo/') && !resumed.raw.includes('bob-octo/'),
    );

    for (const payload of [undefined, { switch: 'true' }, { approved: true }]) {
      const garbled = await answer(await twoAccounts(), 'resolved', payload);
      claim.check(
        `${JSON.stringify(payload)} does not switch the account`,
        garbled.interrupts[0]?.reason === 'authorization_required',
      );
    }
    const recorded = (): boolean => {
      const events = auditLines(world.roles.agent).map(({ event }) => event);
      return ['account_identified', 'account_changed', 'account_answered'].every((event) =>
        events.includes(event as never),
      );
    };
    claim.check('each step is recorded', await comesToHold(recorded));
    claim.finish();
  }, 60_000);

  it('are reported when the provider has granted more scopes than requested', async () => {
    const claim = new Claim(
      0,
      'accounts: scopes that were granted but not requested are shown to the user once, and recorded',
      3,
    );
    const browser = await world.signIn('carol@example.com');
    const paused = await world.ask(browser, 'wider', WHO);
    await world.consent(browser, connectUrlOf(paused), 'carol-octo');
    const [token] = Object.values(world.stack.agentCoreIdentity.vault.grants()).flat();
    world.stack.gitHub.grants.widen(token?.accessToken ?? '', ['delete_repo']);
    const resumed = await world.resume(browser, 'wider', ['interrupt-1']);
    const notices = resumed.events
      .filter(({ type }) => type === 'CUSTOM')
      .map((event) => JSON.stringify(event));
    claim.check(
      'the user is informed',
      notices.length === 1 && (notices[0] ?? '').includes('"scopes":["delete_repo"]'),
    );
    const again = await world.ask(browser, 'wider', WHO);
    claim.check('once', !again.raw.includes('"CUSTOM"'));
    const line = (): boolean =>
      auditLines(world.roles.agent).some(
        ({ event, widerScopes }) =>
          event === 'account_identified' && JSON.stringify(widerScopes) === '["delete_repo"]',
      );
    claim.check('it is recorded', await comesToHold(line));
    claim.finish();
  });
});
