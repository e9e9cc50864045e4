import type { ObjectStore } from '../storage/index.js';
import type { WorkingSet } from './conversation.js';
import type { UserKeys } from './keys.js';
import { noteOf } from './lines.js';

/** A working set as it is in the store. */
export interface Known {
  readonly set: WorkingSet;
  /** Undefined for a conversation that is not in the store yet. */
  readonly version: string | undefined;
}

/** One that was written. */
export interface WrittenSet extends Known {
  readonly version: string;
  /** The size of its object. */
  readonly bytes: number;
}

/** Writes a working set in the place of the one of its version, with what the list needs of it. */
export async function writeSet(
  store: ObjectStore,
  keys: UserKeys,
  { set, version }: Known,
): Promise<WrittenSet | 'conflict'> {
  const text = JSON.stringify(set);
  const condition = version === undefined ? ({ ifAbsent: true } as const) : { ifVersion: version };
  const written = await store.put(keys.workingSet(set.sessionId), text, condition, { note: noteOf(set) });
  return written === 'conflict' ? written : { set, version: written.version, bytes: Buffer.byteLength(text) };
}
