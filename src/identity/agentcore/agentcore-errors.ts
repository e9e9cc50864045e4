import { Logger } from '@nestjs/common';
import { AppError, errorFields, type ErrorCode } from '../../common/errors/index.js';

const logger = new Logger('AgentCoreIdentity');

/** These errors mean that the set-up is wrong, so a retry does not help. All other failures may be temporary. */
const SET_UP_FAULTS = new Set([
  'AccessDeniedException',
  'UnauthorizedException',
  'ValidationException',
  'ResourceNotFoundException',
]);

/** An answer of AgentCore Identity that cannot be used. */
export class UnusableAnswerError extends Error {
  override readonly name = 'UnusableAnswerError';
  readonly code: ErrorCode;

  constructor(reason: string, code: ErrorCode = 'identity_unavailable') {
    super(reason);
    this.code = code;
  }
}

/** Maps a failed call of AgentCore Identity to an error of the table, and logs it. */
export function asIdentityError(operation: string, error: unknown): AppError {
  if (error instanceof UnusableAnswerError) {
    const { code, message: reason } = error;
    logger.error({ event: 'identity_call_failed', operation, code, reason });
    return new AppError(code, { reason });
  }
  const isSetUp = error instanceof Error && SET_UP_FAULTS.has(error.name);
  const code: ErrorCode = isSetUp ? 'identity_misconfigured' : 'identity_unavailable';
  logger.error({ event: 'identity_call_failed', operation, code, ...errorFields(error) });
  return new AppError(code, { reason: operation, cause: error });
}
