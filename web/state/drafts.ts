const PREFIX = 'onbehalf.draft.';
const NEW = 'new';

/**
 * What was written and not sent. The draft of a conversation is kept in this browser until its user signs out, which clears
 * this storage; that of a new conversation in this tab alone, because nobody knows whose the next tab will be.
 */
export const drafts = {
  of: (id: string | undefined): string => storageOf(id).getItem(PREFIX + (id ?? NEW)) ?? '',
  keep(id: string | undefined, text: string): void {
    const key = PREFIX + (id ?? NEW);
    if (text === '') storageOf(id).removeItem(key);
    else storageOf(id).setItem(key, text);
  },
};

function storageOf(id: string | undefined): Storage {
  return id === undefined ? sessionStorage : localStorage;
}
