import { violationText, type Violation } from '../lib/aws-model.ts';

/** An error of the service's own table, as its REST-JSON protocol sends it. */
export class ServiceError extends Error {
  readonly status: number;
  readonly type: string;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    type: string,
    message: string,
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.status = status;
    this.type = type;
    this.members = members;
  }
}

export function validation(message: string, field?: string): ServiceError {
  return new ServiceError(400, 'ValidationException', message, {
    reason: field === undefined ? 'CannotParse' : 'FieldValidationFailed',
    ...(field !== undefined && { fieldList: [{ name: field, message }] }),
  });
}

/** The answer to a member that the service's model does not allow. */
export function violated(violation: Violation): ServiceError {
  return validation(violationText(violation), violation.member);
}

/** AWS does not document the answer to a body that is too large. */
export const tooLarge = (): ServiceError =>
  new ServiceError(413, 'RequestEntityTooLargeException', 'The request body is too large');

export const accessDenied = (message: string): ServiceError =>
  new ServiceError(403, 'AccessDeniedException', message);
export const unauthorized = (message: string): ServiceError =>
  new ServiceError(401, 'UnauthorizedException', message);
export const notFound = (message: string): ServiceError =>
  new ServiceError(404, 'ResourceNotFoundException', message);
export const conflict = (message: string): ServiceError =>
  new ServiceError(409, 'ConflictException', message);
export const internal = (message: string): ServiceError =>
  new ServiceError(500, 'InternalServerException', message);

/** The same message for a session URI that is unknown, expired, used up or another user's. */
export const invalidSession = (): ServiceError => accessDenied('Invalid or expired session');
