import { z } from 'zod';
import { turnClaim, turnRecord, VERSION, workingSet, type Segment, type WorkingSet } from './conversation.js';

/** No task has this name, so a claim of it is one of a dead task. */
export const OLDER_TASK = 'older';

/** Version 2 had no task in a claim, and a record object for each turn. */
const claimOfVersion2 = turnClaim
  .omit({ task: true, begun: true })
  .extend({ leaseUntil: z.number() })
  .transform(({ leaseUntil: _, ...claim }) => ({ ...claim, task: OLDER_TASK }));

export const workingSetOfVersion2 = workingSet
  .omit({ recent: true })
  .extend({ version: z.literal(2), claim: claimOfVersion2.exactOptional() })
  .transform((set): WorkingSet => ({ ...set, version: VERSION, recent: [] }));

export const turnOfVersion2 = turnRecord
  .extend({ version: z.literal(2) })
  .transform(({ version: _, ...turn }): Segment => ({ version: VERSION, turns: [turn] }));
