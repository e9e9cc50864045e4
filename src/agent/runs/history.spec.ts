import { describe, expect, it } from '@jest/globals';
import type { StoredMessage, ContentBlock } from '../../sessions/index.js';
import { prepareHistory } from './history.js';

const user = (text: string): StoredMessage => ({ role: 'user', content: [{ text }] });
const assistant = (text: string): StoredMessage => ({ role: 'assistant', content: [{ text }] });
const use = (...ids: string[]): StoredMessage => ({
  role: 'assistant',
  content: ids.map((toolUseId) => ({ toolUse: { toolUseId, name: 'tool', input: {} } })),
});
const results = (...ids: string[]): StoredMessage => ({
  role: 'user',
  content: ids.map((toolUseId) => ({
    toolResult: { toolUseId, status: 'success', content: [{ text: 'ok' }] },
  })),
});

/** The faults for which Bedrock would refuse a conversation. */
function problems(messages: readonly StoredMessage[]): string[] {
  const found: string[] = [];
  for (const [index, message] of messages.entries()) {
    const previous = messages[index - 1];
    if (message.role !== (index % 2 === 0 ? 'user' : 'assistant')) found.push(`${String(index)}: role`);
    if (message.content.length === 0) found.push(`${String(index)}: empty`);
    const uses = (previous?.content ?? []).flatMap((block) => ('toolUse' in block ? block.toolUse : []));
    const given = message.content.flatMap((block) => ('toolResult' in block ? block.toolResult : []));
    if (message.role === 'user' && idsOf(uses) !== idsOf(given)) {
      found.push(`${String(index)}: results`);
    }
  }
  return found;
}

function idsOf(calls: readonly { readonly toolUseId: string }[]): string {
  return calls
    .map(({ toolUseId }) => toolUseId)
    .sort()
    .join();
}

describe('prepareHistory', () => {
  const input: ContentBlock[] = [{ text: 'now' }];

  it('leaves a good conversation as it is', () => {
    const messages = [user('a'), use('1', '2'), results('1', '2'), assistant('b')];
    expect(prepareHistory(messages, input)).toEqual([...messages, { role: 'user', content: input }]);
  });

  it.each<[string, StoredMessage[]]>([
    ['nothing', []],
    ['an open user message', [user('a')]],
    ['several', [user('a'), user('b'), user('c')]],
    ['an assistant message first', [assistant('a'), user('b')]],
    ['an open tool use', [user('a'), use('1')]],
    ['an open tool use with others before', [user('a'), use('1'), results('1'), use('2')]],
    ['a tool use whose results are partly missing', [user('a'), use('1', '2'), results('1'), assistant('b')]],
    ['a tool use followed by a message', [user('a'), use('1'), user('b'), assistant('c')]],
    ['two assistant messages, a tool use in the second', [user('a'), assistant('b'), use('1')]],
    ['results without their use', [user('a'), assistant('b'), results('1'), assistant('c')]],
    ['results of another use', [user('a'), use('1'), results('2'), assistant('c')]],
    ['results first', [results('1'), assistant('b')]],
    ['empty messages', [user('a'), { role: 'assistant', content: [] }, user('b')]],
  ])('repairs %s', (_name, messages) => {
    const whole = prepareHistory(messages, input);
    expect(problems(whole)).toEqual([]);
    expect(whole.at(-1)?.content.at(-1)).toEqual({ text: 'now' });
    const texts = messages
      .filter(({ role }) => role === 'user')
      .flatMap(({ content }) => content.flatMap((block) => ('text' in block ? block.text : [])));
    for (const text of texts) expect(JSON.stringify(whole)).toContain(JSON.stringify(text));
  });
});
