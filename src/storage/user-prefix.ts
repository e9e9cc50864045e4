import { AppError } from '../common/errors/index.js';

/** The prefix of all objects of a user: their `sub` in base64url, so that no other `sub` has the same prefix. */
export function userPrefix(sub: string): string {
  if (sub === '') throw new AppError('unauthenticated');
  return `users/${Buffer.from(sub, 'utf8').toString('base64url')}/`;
}
