import { RunAgentInputSchema } from '@ag-ui/core/schemas';
import { z } from 'zod';
import { sessionId } from '../../sessions/index.js';

/** The id of a run, as a client may choose it. */
export const runId = z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/);

/** AG-UI's `RunAgentInput`, with our limits on the ids. */
export const runAgentInput = RunAgentInputSchema.extend({
  state: z.unknown().optional(),
  threadId: sessionId,
  runId,
});
