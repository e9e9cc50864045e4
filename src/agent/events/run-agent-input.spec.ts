import { describe, expect, it } from '@jest/globals';
import { runAgentInput } from './run-agent-input.js';

const input = {
  threadId: 'one',
  runId: 'run',
  messages: [{ id: '1', role: 'user', content: 'hello' }],
  tools: [],
  context: [],
  state: { any: 'thing' },
};
const parsed = (more: object): boolean => runAgentInput.safeParse({ ...input, ...more }).success;

describe('runAgentInput', () => {
  it("takes an AG-UI client's input", () => {
    expect(runAgentInput.parse(input)).toMatchObject(input);
  });

  it.each([[undefined], [null], ['text'], [{ a: 1 }]])('takes the state %j, and none', (state) => {
    expect(parsed({ state })).toBe(true);
  });

  it('takes an input that has no state', () => {
    const { state: _, ...stateless } = input;
    expect(runAgentInput.safeParse(stateless).success).toBe(true);
  });

  it.each(['r', 'run_1', 'a.b:c-d', 'x'.repeat(128)])('takes the run id %j', (runId) => {
    expect(parsed({ runId })).toBe(true);
  });

  it.each(['', 'a b', 'a/b', 'a\n', 'ä', 'x'.repeat(129), '"', ' a', 7, null])(
    'refuses the run id %j',
    (runId) => {
      expect(parsed({ runId })).toBe(false);
    },
  );

  it.each(['', '../x', 'a.b', 'x'.repeat(65)])('refuses the thread id %j', (threadId) => {
    expect(parsed({ threadId })).toBe(false);
  });

  it.each(['messages', 'threadId', 'runId'] as const)('needs %s', (member) => {
    expect(parsed({ [member]: undefined })).toBe(false);
  });
});
