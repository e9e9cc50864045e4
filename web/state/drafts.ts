const PREFIX = 'onbehalf.draft.';
const NEW = 'new';

/**
 * Texts that were not sent. The draft of a conversation is kept in this browser until its user signs out, which clears
 * this storage. That of a new conversation is kept in this tab alone, because the next tab may be another user's.
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
