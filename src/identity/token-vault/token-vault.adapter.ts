import {
  BedrockAgentCoreClient,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
  GetWorkloadAccessTokenForUserIdCommand,
  UnauthorizedException,
} from '@aws-sdk/client-bedrock-agentcore';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { awsClientOptions, tracedCall } from '../../common/aws/index.js';
import { Circuit } from '../../common/circuit/index.js';
import { withDeadline } from '../../common/deadline/index.js';
import { AppError } from '../../common/errors/index.js';
import { IDENTITY_CONFIG, type IdentityConfig } from '../../config/index.js';
import { asIdentityError, UnusableAnswerError } from '../agentcore/index.js';
import type { User } from '../sign-in/index.js';
import {
  WorkloadTokenRejectedError,
  type ResourceTokenAnswer,
  type ResourceTokenQuery,
  type TokenVault,
} from './token-vault.js';

const USER_TOKEN_OPERATION = 'GetWorkloadAccessTokenForJWT';

/**
 * Amazon Bedrock AgentCore Identity through the AWS SDK. The SDK's variable `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE` can replace
 * its address.
 */
@Injectable()
export class TokenVaultAdapter implements TokenVault, OnApplicationShutdown {
  readonly #client: BedrockAgentCoreClient;
  readonly #circuit = new Circuit('agentcore-identity');
  readonly #authorizationOrigin: string;
  readonly #deadlineMs: number;

  constructor(@Inject(IDENTITY_CONFIG) { region, authorizationOrigin, deadlineMs }: IdentityConfig) {
    this.#authorizationOrigin = authorizationOrigin;
    this.#deadlineMs = deadlineMs;
    this.#client = new BedrockAgentCoreClient(awsClientOptions(region));
  }

  async workloadAccessToken(workloadName: string, user: User | undefined): Promise<string> {
    const operation = user?.userToken === undefined ? 'GetWorkloadAccessToken' : USER_TOKEN_OPERATION;
    const { workloadAccessToken } = await this.#call(operation, undefined, (abortSignal) => {
      const ends = { abortSignal };
      if (user === undefined)
        return this.#client.send(new GetWorkloadAccessTokenCommand({ workloadName }), ends);
      if (user.userToken === undefined) {
        return this.#client.send(
          new GetWorkloadAccessTokenForUserIdCommand({ workloadName, userId: user.sub }),
          ends,
        );
      }
      return this.#client.send(
        new GetWorkloadAccessTokenForJWTCommand({ workloadName, userToken: user.userToken }),
        ends,
      );
    });
    if (workloadAccessToken === undefined)
      throw asIdentityError(operation, new UnusableAnswerError('no_workload_token'));
    return workloadAccessToken;
  }

  async resourceToken(query: ResourceTokenQuery, signal?: AbortSignal): Promise<ResourceTokenAnswer> {
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
    const operation = 'GetResourceOauth2Token';
    const { accessToken, authorizationUrl, sessionUri, $metadata } = await this.#call(
      operation,
      signal,
      (abortSignal) => this.#client.send(command, { abortSignal }),
    );
    const awsRequestId = $metadata.requestId;
    if (accessToken !== undefined) return { kind: 'token', accessToken, awsRequestId };
    if (authorizationUrl === undefined || sessionUri === undefined)
      throw asIdentityError(operation, new UnusableAnswerError('neither_token_nor_authorization_url'));
    if (originOf(authorizationUrl) !== this.#authorizationOrigin) {
      const another = new UnusableAnswerError(
        'authorization_url_of_another_origin',
        'identity_misconfigured',
      );
      throw asIdentityError(operation, another);
    }
    return { kind: 'authorization_required', authorizationUrl, sessionUri, awsRequestId };
  }

  onApplicationShutdown(): void {
    this.#client.destroy();
  }

  async #call<T>(
    operation: string,
    signal: AbortSignal | undefined,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#circuit.call(signal, () =>
        tracedCall('BedrockAgentCore', operation, () => withDeadline(this.#deadlineMs, signal, send)),
      );
    } catch (error) {
      if (signal?.aborted === true)
        throw new AppError('identity_unavailable', { reason: 'aborted', cause: error });
      if (error instanceof UnauthorizedException && operation === 'GetResourceOauth2Token') {
        throw new WorkloadTokenRejectedError(undefined, { cause: error });
      }
      if (error instanceof UnauthorizedException && operation === USER_TOKEN_OPERATION) {
        throw new AppError('unauthenticated', { reason: 'user_token_refused', cause: error });
      }
      throw asIdentityError(operation, error);
    }
  }
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
