import { describe, expect, it } from '@jest/globals';
import type { StoredMessage } from '../sessions/index.js';
import { prepareHistory } from './history.js';

const user = (text: string): StoredMessage => ({ role: 'user', content: [{ text }] });
const assistant = (text: string): StoredMessage => ({ role: 'assistant', content: [{ text }] });
const use = (...ids: string[]): StoredMessage => ({
  role: 'assistant',
  content: ids.map((toolUseId) => ({ toolUse: { toolUseId, name: 'tool', input: {} } })),
});
const results = (...ids: string[]): StoredMessage => ({
  role: 'user',
  content: ids.map((toolUseId) => ({ toolResult: { toolUseId, content: [{ text: 'ok' }] } })),
});

/** What Bedrock asks of a conversation. */
function problems(messages: readonly StoredMessage[]): string[] {
  const found: string[] = [];
  for (const [index, message] of messages.entries()) {
    const previous = messages[index - 1];
    if (message.role !== (index % 2 === 0 ? 'user' : 'assistant')) found.push(`${String(index)}: role`);
    if (message.content.length === 0) found.push(`${String(index)}: empty`);
    const ids = (from: StoredMessage | undefined, kind: string): string[] =>
      (from?.content ?? []).flatMap(
        (block) => (block[kind] as { toolUseId: string } | undefined)?.toolUseId ?? [],
      );
    if (
      message.role === 'user' &&
      ids(previous, 'toolUse').sort().join() !== ids(message, 'toolResult').sort().join()
    ) {
      found.push(`${String(index)}: results`);
    }
  }
  return found;
}

describe('prepareHistory', () => {
  const input = [{ text: 'now' }];

  it('leaves a good conversation as it is', () => {
    const messages = [user('a'), use('1', '2'), results('1', '2'), assistant('b')];
    expect(prepareHistory(messages, input)).toEqual({ messages, input });
  });

  it.each<[string, StoredMessage[]]>([
    ['nothing', []],
    ['an open user message', [user('a')]],
    ['several', [user('a'), user('b'), user('c')]],
    ['an assistant message first', [assistant('a'), user('b')]],
    ['an open tool use', [user('a'), use('1')]],
    ['an open tool use with others before', [user('a'), use('1'), results('1'), use('2')]],
    ['a tool use whose results are partly missing', [user('a'), use('1', '2'), results('1'), assistant('b')]],
    ['a tool use followed by words', [user('a'), use('1'), user('b'), assistant('c')]],
    ['two assistant messages, a tool use in the second', [user('a'), assistant('b'), use('1')]],
    ['results without their use', [user('a'), assistant('b'), results('1'), assistant('c')]],
    ['results of another use', [user('a'), use('1'), results('2'), assistant('c')]],
    ['results first', [results('1'), assistant('b')]],
    ['empty messages', [user('a'), { role: 'assistant', content: [] }, user('b')]],
  ])('repairs %s', (_name, messages) => {
    const prepared = prepareHistory(messages, input);
    const whole: StoredMessage[] = [...prepared.messages, { role: 'user', content: prepared.input }];
    expect(problems(whole)).toEqual([]);
    expect(prepared.input.at(-1)).toEqual({ text: 'now' });
    const words = messages
      .filter(({ role }) => role === 'user')
      .flatMap(({ content }) => content.flatMap(({ text }) => text ?? []));
    for (const text of words) expect(JSON.stringify(whole)).toContain(JSON.stringify(text));
  });
});
