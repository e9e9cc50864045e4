import type { Item } from './items.ts';

/** How much of which answer was told to assistive software. */
export interface Spoken {
  readonly id: string | undefined;
  /** In UTF-16 units. */
  readonly length: number;
}

/** An end of a sentence, or of a line. */
const END = /[.!?…:](?=\s)|\n/g;

/** The part of the latest answer that is to be told now: whole sentences while it is written, then the rest. */
export function spokenSentences(
  items: readonly Item[],
  before: Spoken,
): { readonly text: string; readonly now: Spoken } {
  const latest = items.findLast((item) => item.kind === 'answer');
  if (latest === undefined) return { text: '', now: before };
  const from = latest.id === before.id ? before.length : 0;
  const to = latest.isOpen ? endOfSentence(latest.text) : latest.text.length;
  if (to <= from) return { text: '', now: { id: latest.id, length: from } };
  return { text: plain(latest.text.slice(from, to)), now: { id: latest.id, length: to } };
}

/** Everything of the latest answer, as if it had been told. */
export function allOf(items: readonly Item[]): Spoken {
  const latest = items.findLast((item) => item.kind === 'answer');
  return { id: latest?.id, length: latest?.text.length ?? 0 };
}

function endOfSentence(text: string): number {
  const last = [...text.matchAll(END)].at(-1);
  return last === undefined ? 0 : last.index + 1;
}

/** Without the marks of Markdown, which would be read out. */
function plain(markdown: string): string {
  return markdown
    .replace(/[*_`#|>~-]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
