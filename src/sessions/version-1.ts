import { z } from 'zod';
import { json } from './content.js';
import {
  turnClaim,
  turnRecord,
  VERSION,
  workingSet,
  type PendingRun,
  type Segment,
  type WorkingSet,
} from './conversation.js';
import { OLDER_TASK } from './version-2.js';
import type { StoredInterrupt } from './interrupt.js';

const interruptOfVersion1 = z.object({
  id: z.string(),
  reason: z.enum(['authorization_required', 'approval_required', 'account_changed']),
  toolCallId: z.string(),
  metadata: z.object({
    tool: z.string(),
    title: z.string().default(''),
    provider: z.string().default(''),
    scopes: z.array(z.string()).default([]),
    input: json.exactOptional(),
    account: z.string().exactOptional(),
    before: z.string().default(''),
    now: z.string().default(''),
  }),
});
const callOfVersion1 = z.object({
  pauses: z.int(),
  asked: z.object({ digest: z.string(), inputBytes: z.int() }).nullable(),
  approved: z.string().nullable(),
  otherAccount: z.string().nullable(),
  reauthenticated: z.boolean(),
});

/** Version 1 kept what was known of a call beside its interrupt; the two belong together by the call's id. */
const pendingOfVersion1 = z
  .object({
    interrupts: z.array(interruptOfVersion1),
    state: z.object({
      snapshot: json,
      strandsIds: z.record(z.string(), z.string()),
      calls: z.record(z.string(), callOfVersion1),
    }),
    resumable: z.boolean(),
  })
  .transform(({ interrupts, state, resumable }): PendingRun => {
    const { calls, strandsIds, snapshot } = state;
    const migrated = interrupts.map((interrupt) =>
      interruptOf(interrupt, calls[interrupt.toolCallId], strandsIds[interrupt.id] ?? ''),
    );
    return { interrupts: migrated, snapshot, resumable };
  });

function interruptOf(
  { id, reason, toolCallId, metadata }: z.infer<typeof interruptOfVersion1>,
  call: z.infer<typeof callOfVersion1> | undefined,
  loopId: string,
): StoredInterrupt {
  const { tool, title, provider, scopes, input = null, account, before, now } = metadata;
  const { pauses = 1, reauthenticated = false } = call ?? {};
  const common = { id, toolCallId, tool, title, pauses, reauthenticated, loopId };
  const approved = call?.approved ?? undefined;
  const kept = approved === undefined ? {} : { approved };
  switch (reason) {
    case 'authorization_required':
      return { ...common, kind: reason, provider, scopes, ...kept };
    case 'approval_required': {
      const { digest = '', inputBytes = 0 } = call?.asked ?? {};
      return {
        ...common,
        kind: reason,
        input,
        digest,
        inputBytes,
        ...(account !== undefined && { account }),
      };
    }
    case 'account_changed':
      return {
        ...common,
        kind: reason,
        provider,
        before,
        now: { id: call?.otherAccount ?? '', login: now },
        ...kept,
      };
  }
}

const claimOfVersion1 = turnClaim
  .omit({ task: true, begun: true, pending: true })
  .extend({ leaseUntil: z.number(), taken: pendingOfVersion1.exactOptional() })
  .transform(({ leaseUntil: _, taken, ...claim }) => ({
    ...claim,
    task: OLDER_TASK,
    ...(taken !== undefined && { pending: taken }),
  }));

export const workingSetOfVersion1 = workingSet
  .omit({ recent: true })
  .extend({
    version: z.literal(1),
    pending: pendingOfVersion1.exactOptional(),
    claim: claimOfVersion1.exactOptional(),
  })
  .transform((set): WorkingSet => ({ ...set, version: VERSION, recent: [] }));

export const turnOfVersion1 = turnRecord
  .extend({ version: z.literal(1), pending: pendingOfVersion1.exactOptional() })
  .transform(({ version: _, ...turn }): Segment => ({ version: VERSION, turns: [turn] }));
