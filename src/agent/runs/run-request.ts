import { createHash } from 'node:crypto';
import type { TurnRequest } from '../../sessions/index.js';
import type { InterruptAnswer } from '../interrupts/index.js';

/** A run continues a conversation with a message, or with answers to what the conversation waits for. */
export type RunInput =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'resume'; readonly answers: readonly InterruptAnswer[] };

/** A run that a client asks for, whichever form the client's request has. */
export interface RunRequest {
  readonly sessionId: string;
  readonly runId: string;
  /** The ids among these that the client has chosen itself. */
  readonly chosenByClient: readonly ('sessionId' | 'runId')[];
  readonly input: RunInput;
}

/** The turn of a run. Its digest tells a repetition of the run from another one of the same name. */
export function turnRequestOf({ runId, input }: RunRequest): TurnRequest {
  const digest = createHash('sha256').update(JSON.stringify(input)).digest('base64url');
  if (input.kind === 'message') return { runId, digest, input };
  const interruptIds = input.answers.map(({ interruptId }) => interruptId);
  return { runId, digest, input: { kind: 'resume', interruptIds } };
}
