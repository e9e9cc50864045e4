import { Offline, Problem, SignedOut } from '../net/api.ts';
import { texts } from '../texts.ts';

/** Something that went wrong, as the user is told it. */
export interface Fault {
  readonly kind: 'signed_out' | 'offline' | 'problem';
  readonly text: string;
  readonly requestId?: string | undefined;
}

/** An error in words. One that nobody expects is told to the browser as well. */
export function faultOf(error: unknown): Fault {
  if (error instanceof SignedOut) return { kind: 'signed_out', text: texts.signedOut };
  if (error instanceof Offline) return { kind: 'offline', text: texts.offline };
  if (error instanceof Problem) return { kind: 'problem', text: error.message, requestId: error.requestId };
  reportError(error);
  return { kind: 'problem', text: texts.broken };
}
