import type { AGUIEvent } from '@ag-ui/core';
import { describe, expect, it } from '@jest/globals';
import { itemsOf, withEvent, type Item } from './items.ts';

const play = (...events: readonly object[]): readonly Item[] =>
  events.reduce<readonly Item[]>((items, event) => withEvent(items, event as AGUIEvent, 1_000), []);

describe('the items of a run', () => {
  it('are its texts as they stream', () => {
    const streamed = [
      { type: 'TEXT_MESSAGE_START', messageId: 'a', role: 'assistant' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'a', delta: 'Hel' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'a', delta: 'lo' },
    ];
    expect(play(...streamed)).toEqual([{ kind: 'answer', id: 'a', text: 'Hello', isOpen: true }]);
    const ended = play(...streamed, { type: 'TEXT_MESSAGE_END', messageId: 'a' });
    expect(ended).toEqual([{ kind: 'answer', id: 'a', text: 'Hello', isOpen: false }]);
  });

  it('are the calls of tools, with input, result and time', () => {
    const items = play(
      { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'list' },
      { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: '{"a"' },
      { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: ':1}' },
      { type: 'TOOL_CALL_END', toolCallId: 'c' },
      { type: 'TOOL_CALL_RESULT', toolCallId: 'c', messageId: 'm', content: '{"data":[1]}' },
    );
    expect(items).toEqual([
      {
        kind: 'step',
        id: 'c',
        name: 'list',
        input: '{"a":1}',
        result: { data: [1] },
        startedAt: 1_000,
        endedAt: 1_000,
      },
    ]);
  });

  it('say that the beginning is summarised, and leave out what nobody has to see', () => {
    const items = play(
      { type: 'RUN_STARTED', threadId: 't', runId: 'r' },
      { type: 'CUSTOM', name: 'earlier_summarised', value: { messages: 3 } },
      { type: 'CUSTOM', name: 'other', value: {} },
    );
    expect(items).toMatchObject([{ kind: 'note' }]);
  });

  it('keep a result that is not JSON', () => {
    const items = play(
      { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'list' },
      { type: 'TOOL_CALL_RESULT', toolCallId: 'c', messageId: 'm', content: 'plain' },
    );
    expect(items).toMatchObject([{ result: 'plain' }]);
  });
});

describe('the items of stored turns', () => {
  const turn = { seq: 1, runId: 'r', startedAt: '2026-01-01T00:00:00Z', outcome: 'success' };

  it('are their messages, each result with its call', () => {
    const messages = [
      { role: 'user' as const, text: 'Who am I?' },
      { role: 'assistant' as const, text: 'I look.', toolCalls: [{ id: 'c', name: 'get', input: { a: 1 } }] },
      { role: 'tool' as const, toolCallId: 'c', result: { data: 1 } },
      { role: 'assistant' as const, text: 'Alice.' },
    ];
    expect(itemsOf([{ ...turn, messages }])).toMatchObject([
      { kind: 'user', text: 'Who am I?' },
      { kind: 'answer', text: 'I look.', isOpen: false },
      { kind: 'step', name: 'get', input: '{"a":1}', result: { data: 1 } },
      { kind: 'answer', text: 'Alice.' },
    ]);
  });

  it.each(['cancelled', 'error', 'abandoned'])('say how a turn ended: %s', (outcome) => {
    const items = itemsOf([{ ...turn, outcome, messages: [{ role: 'user', text: 'a' }] }]);
    expect(items.at(-1)).toMatchObject({ kind: 'note' });
  });
});
