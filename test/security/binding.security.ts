import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { GITHUB_PROVIDER, WORKLOAD } from '../../local/stack.ts';
import { auditLines } from '../support/audit.ts';
import { Claim } from '../support/assurance.ts';
import { comesToHold, subjectOf, World } from '../support/world.ts';
import { flowOf, PAGES } from './binding-situation.ts';
import { CALLBACK_CASES } from './callback-cases.ts';
import { CONNECT_CASES } from './connect-cases.ts';
import { LEDGER_CASES } from './ledger-cases.ts';

describe('session binding', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const vault = (): string => Object.keys(world.stack.agentCoreIdentity.vault.grants()).join();
  const HELD = {
    nothing: '',
    "Alice's token": `${WORKLOAD}|id:${subjectOf('alice@example.com')}|${GITHUB_PROVIDER}`,
  } as const;

  it('row 8: shows the page, leaves the vault and records the event as the table says', async () => {
    const claim = new Claim(8, 'user × browser × request: the expected page, vault and audit line', 40);
    for (const { user, browser, what, page, vault: held, audit, act } of [
      ...CALLBACK_CASES,
      ...LEDGER_CASES,
      ...CONNECT_CASES,
    ]) {
      world.stack.agentCoreIdentity.vault.reset();
      const situation = await flowOf(world, await world.signIn('alice@example.com'), 'alice-octo');
      // The output of a process can arrive after its answer.
      const lines = (): readonly string[] => auditLines(world.roles.sessionBinding).map(({ event }) => event);
      await comesToHold(() => lines().at(-1) === 'consent_started');
      const before = lines().length;
      const { status, text, headers } = await act(situation);
      world.stack.agentCoreIdentity.faults.clear();
      const [expected, sentence] = PAGES[page];
      const shown = status === expected && text.includes(sentence) && !text.includes('<script>alert');
      const last = (): string =>
        lines()
          .slice(before)
          .filter((event) => event !== 'signed_in')
          .at(-1) ?? 'nothing';
      const recorded = await comesToHold(() => last() === audit, 2_000);
      const stays = !(headers.get('location') ?? '').includes('evil.example');
      claim.check(
        () =>
          `${user} | ${browser} | ${what}: ${String(status)} ${last()} [${vault()}] ${/<h1>(.*?)<\/h1>/.exec(text)?.[1] ?? text.slice(0, 80)}`,
        shown && stays && vault() === HELD[held] && recorded,
      );
    }
    claim.finish();
  }, 120_000);

  it('row 8: completes once when the callback is sent many times in parallel', async () => {
    world.stack.agentCoreIdentity.vault.reset();
    const { a, back } = await flowOf(world, await world.signIn('alice@example.com'), 'alice-octo');
    const exchanges = (): number => world.stack.gitHub.grants.exchanges.length;
    const before = exchanges();
    const boundBefore = auditLines(world.roles.sessionBinding).filter(
      ({ event }) => event === 'bound',
    ).length;
    const claim = new Claim(8, 'parallel callbacks of one flow: exactly one completes', 20);
    const pages = await Promise.all(Array.from({ length: 20 }, () => a.navigate(back.href)));
    const bound = auditLines(world.roles.sessionBinding).filter(({ event }) => event === 'bound').length;
    const once = exchanges() === before + 1 && vault() === HELD["Alice's token"] && bound === boundBefore + 1;
    for (const { status, text } of pages)
      claim.check(
        `${String(status)} ${String(exchanges() - before)} exchanges`,
        once && status === 200 && text.includes('connected'),
      );
    claim.finish();
  });
});
