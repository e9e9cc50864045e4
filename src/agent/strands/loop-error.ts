import {
  ContextWindowOverflowError,
  MaxTokensError,
  ModelError,
  ModelThrottledError,
  type Model,
} from '@strands-agents/sdk';
import { AppError, type ErrorCode } from '../../common/errors/index.js';

/** The codes for what Bedrock or the SDK says. */
const BY_NAME: ReadonlyMap<string, ErrorCode> = new Map([
  ['ThrottlingException', 'model_throttled'],
  ['ServiceQuotaExceededException', 'model_throttled'],
  ['CredentialsProviderError', 'model_unavailable'],
  ['ValidationException', 'model_rejected'],
  ['AccessDeniedException', 'model_misconfigured'],
  ['ResourceNotFoundException', 'model_misconfigured'],
]);

/** The failure that ended a loop early, as an error of the table. */
export function asLoopError(thrown: unknown, model?: Model): AppError {
  if (thrown instanceof AppError) return thrown;
  const cause = thrown instanceof ModelError && thrown.cause instanceof Error ? thrown.cause : thrown;
  // Ours, thrown while the model was answering.
  if (cause instanceof AppError) return cause;
  const detail = thrown instanceof MaxTokensError ? tooLong(model?.getConfig().maxTokens) : undefined;
  return new AppError(codeOf(thrown, cause), { cause, ...(detail !== undefined && { detail }) });
}

function tooLong(maximumTokens: number | undefined): string | undefined {
  return maximumTokens === undefined
    ? undefined
    : `The answer is longer than ${String(maximumTokens)} tokens, which is the limit. Ask for less.`;
}

function codeOf(thrown: unknown, cause: unknown): ErrorCode {
  if (thrown instanceof ModelThrottledError) return 'model_throttled';
  if (thrown instanceof MaxTokensError || thrown instanceof ContextWindowOverflowError) return 'model_limit';
  const named = cause instanceof Error ? BY_NAME.get(cause.name) : undefined;
  return named ?? (thrown instanceof ModelError ? 'model_unavailable' : 'internal_error');
}
