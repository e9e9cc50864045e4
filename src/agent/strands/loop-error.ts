import {
  ContextWindowOverflowError,
  MaxTokensError,
  ModelError,
  ModelThrottledError,
} from '@strands-agents/sdk';
import { AppError, type ErrorCode } from '../../common/errors/index.js';

const REJECTIONS = new Set(['ValidationException', 'AccessDeniedException', 'ResourceNotFoundException']);
const THROTTLES = new Set(['ThrottlingException', 'ServiceQuotaExceededException']);

/** The failure that ended a loop early, as an error of the table. */
export function asLoopError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const cause = thrown instanceof ModelError && thrown.cause instanceof Error ? thrown.cause : thrown;
  // Ours, thrown while the model was answering.
  if (cause instanceof AppError) return cause;
  const name = cause instanceof Error ? cause.name : '';
  let code: ErrorCode = thrown instanceof ModelError ? 'model_unavailable' : 'internal_error';
  if (thrown instanceof ModelThrottledError || THROTTLES.has(name)) code = 'model_throttled';
  else if (thrown instanceof MaxTokensError || thrown instanceof ContextWindowOverflowError)
    code = 'model_limit';
  else if (name === 'CredentialsProviderError') code = 'model_unavailable';
  else if (REJECTIONS.has(name)) code = 'model_rejected';
  return new AppError(code, { cause });
}
