import type { WriteNotes } from '../tool-call.js';

/** The notes of a conversation that keeps none, and has no write in doubt. */
export const NO_NOTES: WriteNotes = {
  begin: () => Promise.resolve(),
  doubtedSince: () => undefined,
  settle: () => undefined,
};
