import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke, type Invocation } from '../../local/lib/invoke.ts';
import { connectAlice } from '../support/connected-user.ts';
import { World } from '../support/world.ts';

const ISSUE = { owner: 'alice-octo', repo: 'tram-times' };

/** If a model could use one id for two calls, the user could approve one call and the other would be done. */
describe('a repeated tool-call id', () => {
  let world: World;
  let alice: HttpBrowser;

  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.reset();
    alice = await connectAlice(world);
  });

  const create = (title: string, toolUseId?: string): object => ({
    name: 'create_github_issue',
    input: { ...ISSUE, title },
    ...(toolUseId !== undefined && { toolUseId }),
  });
  /** Sets the model's answers in order. After them, the model says that it is done. */
  const modelSays = (...answers: readonly (readonly object[])[]): void => {
    const pending = [...answers];
    world.stack.bedrock.model = () => {
      const toolUses = (pending.shift() ?? []) as { name: string; input: unknown }[];
      return { text: toolUses.length === 0 ? 'Done.' : '', toolUses };
    };
  };
  const approve = (session: string, { interrupts }: Invocation): Promise<Invocation> => {
    const resume = interrupts.map(({ id }) => ({
      interruptId: id,
      status: 'resolved',
      payload: { approved: true },
    }));
    return invoke(alice, world.url, { sessionId: session, resume });
  };

  it('in one answer: the answer is refused before any of its calls begins', async () => {
    const writes = world.stack.gitHub.faults.plan(/^POST \/api\//, { kind: 'delay', ms: 0 });
    modelSays([create('shown', 'same'), create('hidden', 'same')]);
    const answer = await world.ask(alice, 'one-answer', 'Open an issue');
    expect(answer.last).toMatchObject({ type: 'RUN_ERROR', code: 'model_invalid' });
    expect(answer.interrupts).toEqual([]);
    expect(writes.met).toBe(0);
  });

  it('from an earlier answer: it is refused, so that an approval cannot apply to another call', async () => {
    const writes = world.stack.gitHub.faults.plan(/^POST \/api\//, { kind: 'delay', ms: 0 });
    modelSays([create('shown', 'first')], [create('hidden', 'first')]);
    const paused = await world.ask(alice, 'later', 'Open an issue');
    expect(paused.interrupts[0]?.metadata).toMatchObject({
      input: { title: 'shown' },
      account: 'alice-octo',
    });
    const answer = await approve('later', paused);
    expect(answer.last).toMatchObject({ type: 'RUN_ERROR', code: 'model_invalid' });
    expect(writes.met).toBe(1);
    modelSays([]);
    expect((await world.ask(alice, 'later', 'hello')).text).toBe('Done.');
  });

  it('is not reported for two writes with different ids, which are both approved and done', async () => {
    const writes = world.stack.gitHub.faults.plan(/^POST \/api\//, { kind: 'delay', ms: 0 });
    modelSays([create('one'), create('two')]);
    const paused = await world.ask(alice, 'two', 'Open two issues');
    expect(paused.interrupts.map(({ metadata }) => (metadata.input as { title: string }).title)).toEqual([
      'one',
      'two',
    ]);
    expect((await approve('two', paused)).last).toMatchObject({ type: 'RUN_FINISHED' });
    expect(writes.met).toBe(2);
  });
});
