import type { AppError } from '../../common/errors/index.js';
import type { PresentedInterrupt } from '../interrupts/index.js';
import type { LoopEvent } from '../strands/index.js';

/** How a run ended. The turn is stored by then. */
export type RunEnd =
  | { readonly kind: 'finished'; readonly outcome: 'success' | 'cancelled' }
  | { readonly kind: 'interrupted'; readonly interrupts: readonly PresentedInterrupt[] }
  | {
      readonly kind: 'failed';
      readonly error: AppError;
      /** The request that began the run, for the operator. */
      readonly requestId?: string;
    };

/** The model is told a summary of the earliest messages for the first time. */
export interface EarlierSummarised {
  readonly kind: 'earlier_summarised';
  /** How many messages the summary covers. */
  readonly messages: number;
}

/** A run begins with `started` and ends with exactly one `RunEnd`. */
export type RunEvent = { readonly kind: 'started' } | EarlierSummarised | LoopEvent | RunEnd;
