import { HttpException } from '@nestjs/common';
import { AppError, type ErrorCode } from '../errors/index.js';

/** RFC 9457, `application/problem+json`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly requestId: string;
}

export function problemOf(error: AppError, requestId: string): Problem {
  const { status, title } = error.row;
  const type = `urn:onbehalf:error:${error.code}`;
  return { type, title, status, code: error.code, detail: error.detail, requestId };
}

const BY_STATUS: Readonly<Partial<Record<number, ErrorCode>>> = {
  400: 'invalid_request',
  401: 'unauthenticated',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};

/** Maps any thrown value to an error of the table. Texts of frameworks and upstreams are not passed on. */
export function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const status =
    thrown instanceof HttpException ? thrown.getStatus() : (thrown as { statusCode?: number }).statusCode;
  const code = (status === undefined ? undefined : BY_STATUS[status]) ?? 'internal_error';
  return new AppError(code, { cause: thrown });
}
