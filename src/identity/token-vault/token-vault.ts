import type { User } from '../sign-in/index.js';

/** The port to the service that keeps provider tokens. Calls reject with an AppError, or as they say. */
export const TOKEN_VAULT = Symbol('TokenVault');

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
  /** The request id in AWS's own records, for the audit trail. */
  readonly awsRequestId?: string | undefined;
}

export interface TokenAnswer extends Answered {
  readonly kind: 'token';
  readonly accessToken: string;
}

export interface AuthorizationAnswer extends Answered {
  readonly kind: 'authorization_required';
  /** Of the configured authorization origin. */
  readonly authorizationUrl: string;
  readonly sessionUri: string;
}

export type ResourceTokenAnswer = TokenAnswer | AuthorizationAnswer;

export interface TokenVault {
  /** A workload access token for the user, or for the workload itself when there is none. */
  workloadAccessToken(workloadName: string, user: User | undefined): Promise<string>;
  /** @throws WorkloadTokenRejectedError */
  resourceToken(query: ResourceTokenQuery): Promise<ResourceTokenAnswer>;
}
