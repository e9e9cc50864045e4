import { describe, expect, it } from '@jest/globals';
import type { ToolContext, ToolResultBlock, ToolStreamEvent } from '@strands-agents/sdk';
import { LoopTool, type LoopCall, type LoopCallResult } from './loop-tool.js';

const specification = {
  name: 'read',
  title: 'A title for people',
  description: 'Reads.',
  inputSchema: { type: 'object' },
} as const;

/** Thrown by Strands where a call waits: the tool does not go on. */
class Waits extends Error {}

interface Streamed {
  readonly called: readonly LoopCall[];
  readonly interrupts: readonly unknown[];
  readonly notices: readonly ToolStreamEvent[];
  readonly result: ToolResultBlock | undefined;
}

const { signal } = new AbortController();

async function streamed(outcome: LoopCallResult): Promise<Streamed> {
  const called: LoopCall[] = [];
  const interrupts: unknown[] = [];
  const context = {
    toolUse: { toolUseId: 'a', name: 'read', input: { deep: [1] } },
    cancelSignal: signal,
    interrupt: (parameters: unknown) => {
      interrupts.push(parameters);
      throw new Waits();
    },
  } as unknown as ToolContext;
  const tool = new LoopTool(specification, (call) => {
    called.push(call);
    return Promise.resolve(outcome);
  });
  const notices: ToolStreamEvent[] = [];
  const stream = tool.stream(context);
  try {
    for (;;) {
      const { done, value } = await stream.next();
      if (done === true) return { called, interrupts, notices, result: value };
      notices.push(value);
    }
  } catch (error) {
    if (!(error instanceof Waits)) throw error;
    return { called, interrupts, notices, result: undefined };
  }
}

describe('LoopTool', () => {
  it('is described to the model, without what is for people', () => {
    const tool = new LoopTool(specification, () => Promise.reject(new Error('not called')));
    const { title: _, ...described } = specification;
    expect(tool.toolSpec).toEqual(described);
    expect(tool).toMatchObject({ name: 'read', description: 'Reads.' });
  });

  it('makes the call that the model has made', async () => {
    const { called } = await streamed({ kind: 'answered', status: 'success', json: null });
    expect(called).toEqual([{ name: 'read', toolCallId: 'a', input: { deep: [1] }, signal }]);
  });

  it.each(['success', 'error'] as const)('answers a call by its result: %s', async (status) => {
    const { result, notices, interrupts } = await streamed({ kind: 'answered', status, json: { b: 2 } });
    expect(result?.toJSON()).toEqual({
      toolResult: { toolUseId: 'a', status, content: [{ json: { b: 2 } }] },
    });
    expect(notices).toEqual([]);
    expect(interrupts).toEqual([]);
  });

  it('waits where the call does, and names the call', async () => {
    const { interrupts, result } = await streamed({ kind: 'paused', name: 'consent-2' });
    expect(interrupts).toEqual([{ name: 'consent-2', reason: { toolCallId: 'a' } }]);
    expect(result).toBeUndefined();
  });

  it.each<LoopCallResult>([
    { kind: 'answered', status: 'success', json: 1, notice: { wide: true } },
    { kind: 'paused', name: 'consent-1', notice: { wide: true } },
  ])('tells the notice before the call is $kind', async (outcome) => {
    const { notices } = await streamed(outcome);
    expect(notices).toMatchObject([{ type: 'toolStreamEvent', data: { wide: true } }]);
  });
});
