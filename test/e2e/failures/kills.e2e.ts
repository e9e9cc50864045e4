import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toInvocation, type Invocation } from '../../../local/lib/invoke.ts';
import { startRole, type RoleProcess } from '../../../local/lib/role-process.ts';
import { connectAlice } from '../../support/connected-user.ts';
import { Random } from '../../support/random.ts';
import { tokenOf } from '../../support/tokens.ts';
import { eventually, subjectOf, World } from '../../support/world.ts';

/** A thousand writes are cut off by: KILLS=100 npm run test:e2e -- failures/kills */
const KILLS = Number(process.env.KILLS ?? 5);
const KILL_MS = 36_000;
const WRITES_EACH = 10;
/** So many writes are looked at together. Written twice, they fit into the latest pages of GitHub. */
const TOGETHER = 50;
const PAGES = 2;
/** The writes are approved within the half of this time. */
const WRITING_MS = 500;
const REPOSITORY = { owner: 'alice-octo', repo: 'tram-times' };
const NOT_DONE = 'so it was not done';
const NOT_KNOWN = 'It may have been done';

type Told = 'done' | 'notDone' | 'notKnown';

/** Writes, each of which its task dies in the middle of. */
describe('when a task dies in the middle of writes', () => {
  let world: World;

  beforeAll(async () => {
    // The runs of tasks that have died count for their user for a while.
    world = await World.start({}, { environment: { RUNS_PER_USER: '1000' } });
    await connectAlice(world);
    world.stack.bedrock.model = ({ messages }) => {
      const last = JSON.stringify(messages.at(-1));
      const title = /open (\S+?)"/.exec(last)?.[1];
      if (last.includes('toolResult') || title === undefined) return { text: 'Done.', toolUses: [] };
      return { text: '', toolUses: [{ name: 'create_github_issue', input: { ...REPOSITORY, title } }] };
    };
  });
  afterAll(() => world.close());

  const post = async (task: RoleProcess, sessionId: string, body: object): Promise<Invocation> => {
    const answer = await fetch(`${task.url}/invocations`, {
      method: 'POST',
      headers: {
        'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub: subjectOf('alice@example.com') } }),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ sessionId, ...body }),
    });
    return toInvocation(answer.status, await answer.text());
  };
  const approve = async (
    task: RoleProcess,
    session: string,
    { interrupts }: Invocation,
  ): Promise<Invocation> =>
    post(task, session, {
      resume: interrupts.map(({ id }) => ({
        interruptId: id,
        status: 'resolved',
        payload: { approved: true },
      })),
    });
  /** Once the task of the conversation is known to be dead. */
  const postWhenFree = async (session: string, body: object): Promise<Invocation> => {
    for (;;) {
      const answer = await post(world.roles.agent, session, body);
      if (answer.status !== 409) return answer;
      await delay(200);
    }
  };
  /** How many issues have each of these titles, by GitHub's own records: they are among the latest. */
  const opened = async (sessions: readonly string[]): Promise<ReadonlyMap<string, number>> => {
    const { apiBase, grants } = world.stack.gitHub;
    const [token = ''] = grants.accessTokens();
    const counts = new Map(sessions.map((session) => [session, 0]));
    for (let page = 1; page <= PAGES; page += 1) {
      const { owner, repo } = REPOSITORY;
      const query = `state=all&per_page=100&page=${String(page)}`;
      const answer = await fetch(`${apiBase}/repos/${owner}/${repo}/issues?${query}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      for (const { title } of (await answer.json()) as readonly { readonly title: string }[]) {
        const count = counts.get(title);
        if (count !== undefined) counts.set(title, count + 1);
      }
    }
    return counts;
  };
  const history = async (session: string): Promise<string> => {
    const headers = {
      'x-amzn-oidc-data': tokenOf(world.stack, { payload: { sub: subjectOf('alice@example.com') } }),
    };
    return (await fetch(`${world.roles.agent.url}/sessions/${session}`, { headers })).text();
  };

  /** Kills a task when some of its writes have reached GitHub, and others have not. */
  const killAmong = async (
    sessions: readonly string[],
    random: Random,
    writes: { readonly met: number },
  ): Promise<void> => {
    const task = await startRole('agent', { environment: world.stack.environment('agent') });
    const paused = await Promise.all(
      sessions.map((session) => post(task, session, { message: `open ${session}` })),
    );
    const enough = writes.met + 1 + random.below(WRITES_EACH - 2);
    const ended = sessions.map(async (session, index) => {
      await delay(random.below(WRITING_MS / 2));
      const waiting = paused[index];
      if (waiting !== undefined) await approve(task, session, waiting).catch(() => undefined);
    });
    await eventually(() => writes.met >= enough, 30_000);
    await delay(random.below(WRITING_MS / 2));
    task.process.kill('SIGKILL');
    await Promise.all([task.exited, ...ended]);
  };

  /** What a conversation says of its write. */
  const askAbout = async (session: string): Promise<Told> => {
    await postWhenFree(session, { message: 'What happened?' });
    const text = await history(session);
    const says = {
      done: text.includes('"untrusted":true'),
      notDone: text.includes(NOT_DONE) || text.includes('without allowing this'),
      notKnown: text.includes(NOT_KNOWN),
    };
    const [only, ...more] = (['done', 'notDone', 'notKnown'] as const).filter((each) => says[each]);
    if (only === undefined || more.length > 0) throw new Error(`${session} says ${JSON.stringify(says)}`);
    return only;
  };

  it(
    'no write is doubled, and none is denied or claimed that is not so',
    async () => {
      const random = new Random(5);
      const writes = world.stack.gitHub.faults.plan(/^POST \/api\//, { kind: 'delay', ms: WRITING_MS / 4 });
      const all = Array.from({ length: KILLS * WRITES_EACH }, (_, index) => `kill-${String(index)}-`);
      const told: Record<Told, number> = { done: 0, notDone: 0, notKnown: 0 };
      for (let from = 0; from < all.length; from += TOGETHER) {
        const sessions = all.slice(from, from + TOGETHER);
        for (let at = 0; at < sessions.length; at += WRITES_EACH)
          await killAmong(sessions.slice(at, at + WRITES_EACH), random, writes);
        await delay(WRITING_MS);
        const before = await opened(sessions);
        const said = await Promise.all(
          sessions.map(async (session) => ({ session, says: await askAbout(session) })),
        );
        // The user asks for the same again, and approves it again.
        await Promise.all(
          sessions.map(async (session) => {
            const again = await post(world.roles.agent, session, { message: `open ${session}` });
            await approve(world.roles.agent, session, again);
          }),
        );
        const after = await opened(sessions);
        for (const { session, says } of said) {
          told[says] += 1;
          const done = before.get(session) ?? 0;
          expect([session, done]).toEqual([
            session,
            { done: 1, notDone: 0, notKnown: Math.min(done, 1) }[says],
          ]);
          expect([session, after.get(session)]).toEqual([session, says === 'done' ? 2 : 1]);
        }
      }
      process.stderr.write(`${String(KILLS)} kills, ${String(all.length)} writes: ${JSON.stringify(told)}\n`);
      // The kills came before, in the middle of and after the writes.
      expect(Math.min(told.done + told.notKnown, told.notDone + told.notKnown)).toBeGreaterThan(5);
    },
    KILLS * KILL_MS,
  );
});
