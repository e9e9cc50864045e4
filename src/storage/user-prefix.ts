import { AppError } from '../common/errors/index.js';

/** Where everything of a user is: their `sub`, base64url, so that nobody else's `sub` leads into it. */
export function userPrefix(sub: string): string {
  if (sub === '') throw new AppError('unauthenticated');
  return `users/${Buffer.from(sub, 'utf8').toString('base64url')}/`;
}
