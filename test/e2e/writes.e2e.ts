import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke, type Invocation } from '../../local/lib/invoke.ts';
import { connectAlice } from '../support/connected-user.ts';
import { World } from '../support/world.ts';

const CREATE = {
  name: 'create_github_issue',
  input: { owner: 'alice-octo', repo: 'tram-times', title: 'once' },
};
const WHO = { name: 'get_github_user', input: {} };

/** A completed write is never lost, and an unknown result is never reported as a failure. */
describe('a write', () => {
  let world: World;
  let alice: HttpBrowser;
  /** The messages of the last request to the model. */
  let shown: string;

  beforeAll(async () => {
    world = await World.start({}, { environment: { RUN_GRACE_SECONDS: '0' } });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.reset();
    alice = await connectAlice(world);
  });

  /** Sets the model's first answer. After it, the model says that it is done. */
  const modelSays = (...first: readonly object[]): void => {
    const answers = [first as { name: string; input: unknown }[]];
    world.stack.bedrock.model = ({ messages }) => {
      shown = JSON.stringify(messages);
      const toolUses = answers.shift() ?? [];
      return { text: toolUses.length === 0 ? 'Done.' : '', toolUses };
    };
  };
  const approval = ({ interrupts }: Invocation): object[] =>
    interrupts.map(({ id, reason }) => ({
      interruptId: id,
      status: 'resolved',
      ...(reason === 'approval_required' && { payload: { approved: true } }),
    }));

  const openAtGitHub = async (): Promise<void> => {
    const { apiBase, grants } = world.stack.gitHub;
    const [token = ''] = grants.accessTokens();
    const { owner, repo, title } = CREATE.input;
    const answer = await fetch(`${apiBase}/repos/${owner}/${repo}/issues`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title }),
    });
    expect(answer.status).toBe(201);
  };

  it('stays in the conversation when the consent for a parallel call could not be requested', async () => {
    modelSays(CREATE, WHO);
    const paused = await world.ask(alice, 'beside', 'Do both');
    const writes = world.stack.gitHub.faults.plan(/^POST \/api\//, { kind: 'delay', ms: 0 });
    world.stack.s3.faults.plan(/^PUT .*flows/, { kind: 'answer', status: 503, body: '' });
    const answer = await invoke(alice, world.url, { sessionId: 'beside', resume: approval(paused) });
    expect(answer.last).toMatchObject({ type: 'RUN_ERROR', code: 'flows_unavailable' });
    expect(writes.met).toBe(1);
    world.stack.s3.faults.clear();
    await world.ask(alice, 'beside', 'Did it work?');
    expect(shown).toContain('"untrusted":true');
    expect(shown).toContain('The user could not be asked, so this was not done.');
  });

  it('is reported to the model as unknown when the user did not wait for its answer', async () => {
    modelSays(CREATE);
    const paused = await world.ask(alice, 'gone', 'Open an issue');
    const writes = world.stack.gitHub.faults.plan(/^POST \/api\//, { kind: 'delay', ms: 1_000 });
    const leaving = new AbortController();
    const body = JSON.stringify({ sessionId: 'gone', resume: approval(paused) });
    const cookie = await alice.jar.getCookieString(world.url);
    const headers = { cookie, 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body, signal: leaving.signal };
    const aborted = fetch(`${world.url}/invocations`, request)
      .then((answer) => answer.text())
      .catch(() => undefined);
    while (writes.met === 0) await delay(20);
    leaving.abort();
    await aborted;
    let text = '';
    for (let tries = 0; tries < 50 && !text.includes('tool_outcome_unknown'); tries += 1) {
      await delay(100);
      ({ text } = await alice.request(`${world.url}/sessions/gone`));
    }
    expect(text).toContain('tool_outcome_unknown');
    // As if GitHub had opened the issue. It is not opened again, although the user approves the same once more.
    world.stack.gitHub.faults.clear();
    await openAtGitHub();
    const further = world.stack.gitHub.faults.plan(/^POST \/api\//, { kind: 'delay', ms: 0 });
    modelSays(CREATE);
    const again = await world.ask(alice, 'gone', 'Open an issue');
    expect(again.interrupts[0]?.reason).toBe('approval_required');
    const answer = await invoke(alice, world.url, { sessionId: 'gone', resume: approval(again) });
    expect(answer.results).toMatchObject([
      { note: 'This had been done by an earlier call whose outcome was not known. It was not done again.' },
    ]);
    expect([writes.met, further.met]).toEqual([1, 0]);
  });
});
