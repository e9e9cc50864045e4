import type { User } from '../inbound/user.js';

/** The port to the service that keeps provider tokens. Calls reject with an AppError, or as they say. */
export const IDENTITY_SERVICE = Symbol('IdentityService');

/** The service does not accept a workload access token any more; a new one may help. */
export class WorkloadTokenRejectedError extends Error {}

export type OAuth2Flow = 'USER_FEDERATION' | 'M2M';

export interface ResourceTokenQuery {
  readonly workloadAccessToken: string;
  readonly provider: string;
  readonly scopes: readonly string[];
  readonly flow: OAuth2Flow;
  readonly returnUrl: string;
  readonly forceAuthentication: boolean;
  readonly customState: string;
  readonly customParameters: Readonly<Record<string, string>>;
}

interface Answered {
  /** As AWS's own records have it; for the audit trail. */
  readonly awsRequestId?: string | undefined;
}

export interface TokenAnswer extends Answered {
  readonly kind: 'token';
  readonly accessToken: string;
}

export interface AuthorizationAnswer extends Answered {
  readonly kind: 'authorization_required';
  readonly authorizationUrl: string;
  readonly sessionUri: string;
}

export type ResourceTokenAnswer = TokenAnswer | AuthorizationAnswer;

export interface CompletionAnswer extends Answered {
  /** `rejected`: the session URI is unknown, expired, used, or another user's; the service does not tell which. */
  readonly kind: 'completed' | 'rejected';
}

export interface IdentityService {
  /** A workload access token for the user, or for the workload itself when there is none. */
  workloadAccessToken(workloadName: string, user: User | undefined): Promise<string>;
  /** @throws WorkloadTokenRejectedError */
  resourceToken(query: ResourceTokenQuery): Promise<ResourceTokenAnswer>;
  completeAuthorization(sessionUri: string, user: User): Promise<CompletionAnswer>;
}
