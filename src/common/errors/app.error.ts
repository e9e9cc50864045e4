import { ERRORS, type ErrorCode, type ErrorRow } from './error-catalog.js';

/**
 * The only error class that leaves a module. `detail` is shown to users, so it never contains a token, a claim or a text from
 * upstream. The original error is kept in `cause` and is never shown.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  /** A short internal reason for the log, from a closed set of the module that throws; never input. */
  readonly reason: string | undefined;

  /** After so many seconds another try makes sense. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    options: { detail?: string; reason?: string; cause?: unknown; retryAfter?: number } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = options.detail ?? ERRORS[code].detail;
    this.reason = options.reason;
    this.retryAfter = options.retryAfter ?? this.row.retryAfter;
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }
}
