import { VERSION, type Segment, type TurnRecord, type WorkingSet } from './conversation.js';

/** So many turns are kept in the working set before they are moved to a segment. */
const MAXIMUM_RECENT = 16;
const MAXIMUM_RECENT_BYTES = 256_000;

/** A segment that is to be written, and its working set without the turns in it. */
export interface Moved {
  readonly set: WorkingSet;
  /** The number of the last turn, by which the segment is named. */
  readonly last: number;
  readonly segment: Segment;
}

/**
 * Moves the turns of a working set to a segment, all but the last one; undefined while there is room. A segment may be
 * written and its working set not. The turns in it are then moved again, into one that has the same turns and more.
 */
export function movedToSegment(set: WorkingSet): Moved | undefined {
  const { recent, messages } = set;
  const moved = recent.slice(0, -1);
  const last = moved.at(-1)?.seq;
  if (last === undefined || !isFull(recent)) return undefined;
  const kept = [...messages, ...moved.flatMap((turn) => turn.messages)];
  return {
    set: { ...set, messages: kept, recent: recent.slice(-1) },
    last,
    segment: { version: VERSION, turns: moved },
  };
}

function isFull(recent: readonly TurnRecord[]): boolean {
  return recent.length > MAXIMUM_RECENT || Buffer.byteLength(JSON.stringify(recent)) > MAXIMUM_RECENT_BYTES;
}
