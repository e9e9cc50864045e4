import type { ConverseRequest, Model } from '../../local/bedrock/protocol.ts';

/** What a message orders the model to do. */
export type Order = 'plain' | 'read' | 'write';

const ORDER = /^SOAK (plain|read|write) (\S+) (\d+) (\S+)$/;

/** The message of a run, which the model understands. `place` is the owner and the repository of a write. */
export function orderText(order: Order, id: string, words: number, place: string): string {
  return `SOAK ${order} ${id} ${String(words)} ${place}`;
}

/** Does what the last message orders: at once, after a read, or after a write whose title is the id of the run. */
export const soakModel: Model = ({ messages }) => {
  const [, order, id = '', words = '1', place = ''] = ORDER.exec(lastOrder(messages)) ?? [];
  const [owner, repo] = place.split('/');
  const isNew = messages.at(-1)?.content.some(({ text }) => text !== undefined) === true;
  if (!isNew || order === 'plain' || order === undefined)
    return { text: answer(id, Number(words)), toolUses: [] };
  const toolUse =
    order === 'read'
      ? { name: 'get_github_user', input: {} }
      : { name: 'create_github_issue', input: { owner, repo, title: id } };
  return { text: '', toolUses: [toolUse] };
};

function answer(id: string, words: number): string {
  return [id, ...Array.from({ length: words }, (_, index) => `word-${String(index + 1)}`)].join(' ');
}

function lastOrder(messages: ConverseRequest['messages']): string {
  const texts = messages.flatMap(({ role, content }) =>
    role === 'user' ? content.flatMap(({ text }) => text ?? []) : [],
  );
  return texts.at(-1) ?? '';
}
