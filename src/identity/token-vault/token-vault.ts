import type { User } from '../sign-in/index.js';

/**
 * The port to the service that keeps provider tokens. Calls reject with an AppError, or with the error that they document.
 */
export const TOKEN_VAULT = Symbol('TokenVault');

/** The service does not accept a workload access token any more. A new token may help. */
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
  /** The request id of AWS's answer, for the audit trail. */
  readonly awsRequestId?: string | undefined;
}

export interface TokenAnswer extends Answered {
  readonly kind: 'token';
  readonly accessToken: string;
}

export interface AuthorizationAnswer extends Answered {
  readonly kind: 'authorization_required';
  /** An address at the configured authorization origin. */
  readonly authorizationUrl: string;
  readonly sessionUri: string;
}

export type ResourceTokenAnswer = TokenAnswer | AuthorizationAnswer;

export interface TokenVault {
  /** A workload access token for the user, or for the workload itself when there is none. */
  workloadAccessToken(workloadName: string, user: User | undefined): Promise<string>;
  /** @throws WorkloadTokenRejectedError */
  resourceToken(query: ResourceTokenQuery, signal?: AbortSignal): Promise<ResourceTokenAnswer>;
}
