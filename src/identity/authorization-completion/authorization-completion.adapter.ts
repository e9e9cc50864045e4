import {
  AccessDeniedException,
  BedrockAgentCoreClient,
  CompleteResourceTokenAuthCommand,
  UnauthorizedException,
} from '@aws-sdk/client-bedrock-agentcore';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { awsClientOptions, tracedCall } from '../../common/aws/index.js';
import { Circuit } from '../../common/circuit/index.js';
import { withDeadline } from '../../common/deadline/index.js';
import { AppError } from '../../common/errors/index.js';
import { IDENTITY_CONFIG, type IdentityConfig } from '../../config/index.js';
import { asIdentityError } from '../agentcore/index.js';
import type { User } from '../sign-in/index.js';
import type { AuthorizationCompletion, CompletionAnswer } from './authorization-completion.js';

const OPERATION = 'CompleteResourceTokenAuth';

/**
 * Amazon Bedrock AgentCore Identity through the AWS SDK. The SDK's variable `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE` can replace
 * its address. Completion changes state, so it is tried once: after a lost answer, a second try would look like a replay.
 * Completions are rare, so each call opens a new connection.
 */
@Injectable()
export class AuthorizationCompletionAdapter implements AuthorizationCompletion, OnApplicationShutdown {
  readonly #client: BedrockAgentCoreClient;
  readonly #circuit = new Circuit('agentcore-identity');
  readonly #deadlineMs: number;

  constructor(@Inject(IDENTITY_CONFIG) { region, deadlineMs }: IdentityConfig) {
    this.#deadlineMs = deadlineMs;
    this.#client = new BedrockAgentCoreClient(awsClientOptions(region, { attempts: 1, keepAlive: false }));
  }

  async complete(sessionUri: string, user: User): Promise<CompletionAnswer> {
    const userIdentifier =
      user.userToken === undefined ? { userId: user.sub } : { userToken: user.userToken };
    try {
      const command = new CompleteResourceTokenAuthCommand({ sessionUri, userIdentifier });
      const { $metadata } = await this.#circuit.call(undefined, () =>
        tracedCall('BedrockAgentCore', OPERATION, () =>
          withDeadline(this.#deadlineMs, undefined, (abortSignal) =>
            this.#client.send(command, { abortSignal }),
          ),
        ),
      );
      return { kind: 'completed', awsRequestId: $metadata.requestId };
    } catch (error) {
      if (isSessionRejection(error)) return { kind: 'rejected', awsRequestId: error.$metadata.requestId };
      if (error instanceof UnauthorizedException && user.userToken !== undefined)
        throw new AppError('unauthenticated', { reason: 'user_token_refused', cause: error });
      throw asIdentityError(OPERATION, error);
    }
  }

  onApplicationShutdown(): void {
    this.#client.destroy();
  }
}

/**
 * AccessDeniedException has two meanings: "Invalid or expired session", which is reported to the user, and a missing IAM
 * permission ("… is not authorized to perform …"), which the operator must fix.
 */
function isSessionRejection(error: unknown): error is AccessDeniedException {
  return error instanceof AccessDeniedException && !/not authorized to perform/i.test(error.message);
}
