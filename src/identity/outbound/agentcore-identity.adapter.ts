import {
  AccessDeniedException,
  BedrockAgentCoreClient,
  CompleteResourceTokenAuthCommand,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
  GetWorkloadAccessTokenForUserIdCommand,
  ResourceNotFoundException,
  UnauthorizedException,
  ValidationException,
} from '@aws-sdk/client-bedrock-agentcore';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { AppError, errorFields, type ErrorCode } from '../../common/errors/index.js';
import { CONFIG, type AppConfig } from '../../config/index.js';
import type { User } from '../inbound/user.js';
import {
  WorkloadTokenRejectedError,
  type CompletionAnswer,
  type IdentityService,
  type ResourceTokenAnswer,
  type ResourceTokenQuery,
} from './identity-service.js';

const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 8_000;
const USER_TOKEN_OPERATION = 'GetWorkloadAccessTokenForJWT';

/** Amazon Bedrock AgentCore Identity, by the AWS SDK; its address is the SDK's own `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE`. */
@Injectable()
export class AgentCoreIdentityAdapter implements IdentityService, OnApplicationShutdown {
  readonly #logger = new Logger('AgentCoreIdentity');
  readonly #client: BedrockAgentCoreClient;
  /**
   * Completion changes state, so it is tried once: after a lost answer, a second try would look like a replay. It is rare,
   * so it gets a new connection: one that was kept may be dead, above all after a process was frozen.
   */
  readonly #completingClient: BedrockAgentCoreClient;

  constructor(@Inject(CONFIG) config: AppConfig) {
    const client = (maxAttempts: number, keepAlive: boolean): BedrockAgentCoreClient =>
      new BedrockAgentCoreClient({
        region: config.identityRegion,
        maxAttempts,
        requestHandler: new NodeHttpHandler({
          connectionTimeout: CONNECT_TIMEOUT_MS,
          requestTimeout: REQUEST_TIMEOUT_MS,
          throwOnRequestTimeout: true,
          httpAgent: { keepAlive },
          httpsAgent: { keepAlive },
        }),
      });
    this.#client = client(3, true);
    this.#completingClient = client(1, false);
  }

  async workloadAccessToken(workloadName: string, user: User | undefined): Promise<string> {
    const operation = user?.userToken === undefined ? 'GetWorkloadAccessToken' : USER_TOKEN_OPERATION;
    const { workloadAccessToken } = await this.#call(operation, () => {
      if (user === undefined) return this.#client.send(new GetWorkloadAccessTokenCommand({ workloadName }));
      if (user.userToken === undefined) {
        return this.#client.send(
          new GetWorkloadAccessTokenForUserIdCommand({ workloadName, userId: user.sub }),
        );
      }
      return this.#client.send(
        new GetWorkloadAccessTokenForJWTCommand({ workloadName, userToken: user.userToken }),
      );
    });
    if (workloadAccessToken === undefined)
      throw new AppError('identity_unavailable', { reason: 'no_workload_token' });
    return workloadAccessToken;
  }

  async resourceToken(query: ResourceTokenQuery): Promise<ResourceTokenAnswer> {
    const command = new GetResourceOauth2TokenCommand({
      workloadIdentityToken: query.workloadAccessToken,
      resourceCredentialProviderName: query.provider,
      scopes: [...query.scopes],
      oauth2Flow: query.flow,
      ...(query.flow === 'USER_FEDERATION' && {
        resourceOauth2ReturnUrl: query.returnUrl,
        forceAuthentication: query.forceAuthentication,
        customState: query.customState,
        customParameters: query.customParameters,
      }),
    });
    const { accessToken, authorizationUrl, sessionUri, $metadata } = await this.#call(
      'GetResourceOauth2Token',
      () => this.#client.send(command),
    );
    const awsRequestId = $metadata.requestId;
    if (accessToken !== undefined) return { kind: 'token', accessToken, awsRequestId };
    if (authorizationUrl === undefined || sessionUri === undefined) {
      throw new AppError('identity_unavailable', { reason: 'neither_token_nor_authorization_url' });
    }
    return { kind: 'authorization_required', authorizationUrl, sessionUri, awsRequestId };
  }

  async completeAuthorization(sessionUri: string, user: User): Promise<CompletionAnswer> {
    const userIdentifier =
      user.userToken === undefined ? { userId: user.sub } : { userToken: user.userToken };
    const command = new CompleteResourceTokenAuthCommand({ sessionUri, userIdentifier });
    return this.#call('CompleteResourceTokenAuth', async () => {
      try {
        const { $metadata } = await this.#completingClient.send(command);
        return { kind: 'completed', awsRequestId: $metadata.requestId };
      } catch (error) {
        if (!isSessionRejection(error)) throw error;
        return { kind: 'rejected', awsRequestId: error.$metadata.requestId };
      }
    });
  }

  onApplicationShutdown(): void {
    this.#client.destroy();
    this.#completingClient.destroy();
  }

  async #call<T>(operation: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (error instanceof UnauthorizedException && operation === 'GetResourceOauth2Token') {
        throw new WorkloadTokenRejectedError(undefined, { cause: error });
      }
      if (error instanceof UnauthorizedException && operation === USER_TOKEN_OPERATION) {
        throw new AppError('unauthenticated', { reason: 'user_token_refused', cause: error });
      }
      const code = codeOf(error);
      this.#logger.error({ event: 'identity_call_failed', operation, code, ...errorFields(error) });
      throw new AppError(code, { reason: operation, cause: error });
    }
  }
}

/**
 * AccessDeniedException means two things: "Invalid or expired session", which is the user's to know, and a missing IAM
 * permission ("… is not authorized to perform …"), which is the operator's to mend.
 */
function isSessionRejection(error: unknown): error is AccessDeniedException {
  return error instanceof AccessDeniedException && !/not authorized to perform/i.test(error.message);
}

/** Faults of the set-up do not go away by trying again; all others may. */
function codeOf(error: unknown): ErrorCode {
  const isSetUp =
    error instanceof AccessDeniedException ||
    error instanceof UnauthorizedException ||
    error instanceof ValidationException ||
    error instanceof ResourceNotFoundException;
  return isSetUp ? 'identity_misconfigured' : 'identity_unavailable';
}
