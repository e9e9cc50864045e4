import { AppError } from '../common/errors/index.js';

/** The prefix of a user's conversations: their `sub` in base64url, so that no other `sub` has the same prefix. */
export function userPrefix(sub: string): string {
  return `users/${encoded(sub)}/`;
}

/** The prefix of a user's connections. */
export function connectionsPrefix(sub: string): string {
  return `connections/${encoded(sub)}/`;
}

/** The prefix of a user's receipts, which both roles write. */
export function receiptsPrefix(sub: string): string {
  return `receipts/${encoded(sub)}/`;
}

function encoded(sub: string): string {
  if (sub === '') throw new AppError('unauthenticated');
  return Buffer.from(sub, 'utf8').toString('base64url');
}
