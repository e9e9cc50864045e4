import { describe, expect, it } from '@jest/globals';
import type { StoredMessage, ToolResult } from './content.js';
import type { Transcript } from './conversations.js';
import { consentInterrupt } from './testing/messages.js';
import { conversationView, type MessageView } from './transcript.js';

type Content = StoredMessage['content'];

const interrupt = consentInterrupt(1, 'a');
const interruptView = {
  id: 'interrupt-1',
  reason: 'authorization_required',
  toolCallId: 'a',
  metadata: { tool: 'read_it', title: 'Read it', provider: 'github', scopes: ['repo'] },
};
const turn = { version: 2, seq: 2, runId: 'run', startedAt: 0, endedAt: 1_000, outcome: 'success' } as const;
const transcript: Transcript = {
  summary: { sessionId: 'one', title: 'hello', createdAt: 'then', updatedAt: 'now' },
  turns: [],
  busy: true,
};
const viewsOf = (role: StoredMessage['role'], content: Content): readonly MessageView[] | undefined =>
  conversationView({ ...transcript, turns: [{ ...turn, messages: [{ role, content }] }] }).turns[0]?.messages;

const result = (toolUseId: string, ...content: ToolResult['content']): Content[number] => ({
  toolResult: { toolUseId, status: 'success', content },
});

describe('conversationView', () => {
  it('shows what the transcript has', () => {
    const messages: StoredMessage[] = [
      { role: 'user', content: [{ text: 'hello' }] },
      { role: 'assistant', content: [{ text: 'hi' }] },
    ];
    expect(conversationView({ ...transcript, turns: [{ ...turn, messages }] })).toStrictEqual({
      sessionId: 'one',
      title: 'hello',
      createdAt: 'then',
      updatedAt: 'now',
      busy: true,
      turns: [
        {
          seq: 2,
          runId: 'run',
          outcome: 'success',
          startedAt: '1970-01-01T00:00:00.000Z',
          endedAt: '1970-01-01T00:00:01.000Z',
          messages: [
            { role: 'user', text: 'hello' },
            { role: 'assistant', text: 'hi' },
          ],
        },
      ],
      interrupts: [],
    });
  });

  it('leads to earlier turns', () => {
    expect(conversationView({ ...transcript, nextBefore: 7 }).nextBefore).toBe(7);
  });

  it.each([
    [true, [interruptView]],
    [false, []],
  ])('shows what a run waits for when it can be resumed: %s', (resumable, interrupts) => {
    const pending = { interrupts: [interrupt], snapshot: 'SECRET', resumable };
    const view = conversationView({ ...transcript, pending });
    expect(view.interrupts).toEqual(interrupts);
    expect(JSON.stringify(view)).not.toContain('SECRET');
  });

  it.each<[string, StoredMessage['role'], Content, readonly MessageView[]]>([
    ['texts as one', 'assistant', [{ text: 'a' }, { text: 'b' }], [{ role: 'assistant', text: 'ab' }]],
    ['nothing of an empty message', 'assistant', [], []],
    ['nothing of what the model thought', 'assistant', [{ reasoning: { text: 'x' } }], []],
    [
      'calls beside the text',
      'assistant',
      [{ text: 'a' }, { toolUse: { toolUseId: '1', name: 'read_it', input: { b: 1 } } }],
      [{ role: 'assistant', text: 'a', toolCalls: [{ id: '1', name: 'read_it', input: { b: 1 } }] }],
    ],
    [
      'calls without text',
      'assistant',
      [{ toolUse: { toolUseId: '1', name: 'read_it', input: null } }],
      [{ role: 'assistant', toolCalls: [{ id: '1', name: 'read_it', input: null }] }],
    ],
    [
      'results on their own, ahead of the text',
      'user',
      [{ text: 'a' }, result('1', { json: { b: 1 } })],
      [
        { role: 'tool', toolCallId: '1', result: { b: 1 } },
        { role: 'user', text: 'a' },
      ],
    ],
    [
      'each result',
      'user',
      [result('1', { text: 'a' }, { text: 'b' }), result('2'), result('3', { json: null })],
      [
        { role: 'tool', toolCallId: '1', result: 'a' },
        { role: 'tool', toolCallId: '2', result: null },
        { role: 'tool', toolCallId: '3', result: null },
      ],
    ],
  ])('shows %s', (_name, role, content, views) => {
    expect(viewsOf(role, content)).toStrictEqual(views);
  });
});
