import type { User } from '../sign-in/index.js';

/** The port to the service that completes authorizations. Calls reject with an AppError. */
export const AUTHORIZATION_COMPLETION = Symbol('AuthorizationCompletion');

export interface CompletionAnswer {
  /** `rejected`: the session URI is unknown, expired, used, or another user's; the service does not say which. */
  readonly kind: 'completed' | 'rejected';
  /** The request id of AWS's answer, for the audit trail. */
  readonly awsRequestId?: string | undefined;
}

export interface AuthorizationCompletion {
  /** @throws AppError `identity_unavailable` | `identity_misconfigured` */
  complete(sessionUri: string, user: User): Promise<CompletionAnswer>;
}
