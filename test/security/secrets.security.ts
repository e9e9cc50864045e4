import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import { Claim } from '../support/assurance.ts';
import { connectUrlOf, World } from '../support/world.ts';
import { ALICE, resealed, sealing, ticketOf, type Situation } from './binding-situation.ts';

const OLD = 'the-secret-of-before-0123456789-abcdef';
const NEW = 'the-secret-of-after-9876543210-fedcba!';

/** The secrets of the two roles during a replacement, one deployment after another. */
const DEPLOYMENTS = [
  { FLOW_SECRET: OLD },
  { FLOW_SECRET: OLD, FLOW_SECRET_ACCEPTED: NEW },
  { FLOW_SECRET: NEW, FLOW_SECRET_ACCEPTED: OLD },
  { FLOW_SECRET: NEW },
] as const;

describe('the flow secret', () => {
  let world: World;
  const started: RoleProcess[] = [];
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(async () => {
    await Promise.all(started.map((role) => role.stop()));
    await world.close();
  });

  it('can be replaced without ending an open consent', async () => {
    const claim = new Claim(
      0,
      'secrets: open consents while FLOW_SECRET is replaced task by task: all are bound',
      8,
    );
    const start = async (role: 'agent' | 'session-binding', deployment: number): Promise<RoleProcess> => {
      const environment = { ...world.stack.environment(role), ...DEPLOYMENTS[deployment] };
      const process = await startRole(role, { environment });
      started.push(process);
      return process;
    };
    const roles = await Promise.all(
      DEPLOYMENTS.map(
        async (_, index) => [await start('agent', index), await start('session-binding', index)] as const,
      ),
    );
    const use = (agent: number, binding: number): void => {
      world.stack.loadBalancer.register({
        agent: [roles[agent]?.[0].url ?? ''],
        'session-binding': [roles[binding]?.[1].url ?? ''],
      });
    };
    /** Flows within a deployment, and from a task of one deployment to a task of the next, in both directions. */
    const pairs = DEPLOYMENTS.flatMap(
      (_, index) =>
        [
          [index, index],
          [index, index + 1],
          [index + 1, index],
        ] as const,
    );
    for (const [agent, binding] of pairs) {
      if (Math.max(agent, binding) >= DEPLOYMENTS.length) continue;
      world.stack.agentCoreIdentity.vault.reset();
      use(agent, binding);
      const browser = await world.signIn(ALICE);
      const paused = await world.ask(
        browser,
        `secret-${String(agent)}-${String(binding)}`,
        'Who am I on GitHub?',
      );
      const done = await world.consent(browser, connectUrlOf(paused), 'alice-octo');
      claim.check(`from ${String(agent)} to ${String(binding)}`, done.text.includes('GitHub is connected'));
    }
    use(0, 3);
    world.stack.agentCoreIdentity.vault.reset();
    const browser = await world.signIn(ALICE);
    const late = await browser.navigate(
      connectUrlOf(await world.ask(browser, 'secret-gone', 'Who am I on GitHub?')),
    );
    claim.check('a removed secret opens nothing', late.text.includes('not valid'));
    claim.finish();
  }, 60_000);

  it('does not work for another deployment, and does not redirect to another host', async () => {
    const claim = new Claim(
      0,
      'secrets: tickets of another deployment, without a key id, or to another host: refused',
      6,
    );
    world.stack.loadBalancer.register({
      agent: [world.roles.agent.url],
      'session-binding': [world.roles.sessionBinding.url],
    });
    world.stack.agentCoreIdentity.vault.reset();
    const a = await world.signIn(ALICE);
    const connectUrl = connectUrlOf(await world.ask(a, 'hosts', 'Who am I on GitHub?'));
    const situation: Situation = { world, a, connectUrl, back: new URL(world.url) };
    const shown = async (ticket: string): Promise<string> =>
      (await a.navigate(`${world.url}/oauth2/connect?ticket=${encodeURIComponent(ticket)}`)).text;
    const genuine = ticketOf(situation);
    claim.check('the genuine one is shown', (await shown(genuine)).includes('Connect GitHub?'));
    const value = await sealing(situation, 'flow-ticket').open(genuine);
    const elsewhere = {
      world: { url: 'https://another.example', stack: world.stack },
    } as unknown as Situation;
    const foreign = await sealing(elsewhere, 'flow-ticket').seal(value, Date.now() + 60_000);
    claim.check('of another deployment', (await shown(foreign)).includes('not valid'));
    for (const authorizationUrl of [
      'https://evil.example/identities/oauth2/authorize',
      `${world.stack.agentCoreIdentity.url}@evil.example/`,
      `${world.stack.agentCoreIdentity.url}.evil.example/`,
      'https://bedrock-agentcore.eu-central-1.amazonaws.com/identities/oauth2/authorize',
    ]) {
      const ticket = await resealed(situation, genuine, 'flow-ticket', { authorizationUrl });
      claim.check(`to ${authorizationUrl}`, (await shown(ticket)).includes('not valid'));
    }
    claim.finish();
  });
});
