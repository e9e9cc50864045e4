import { AppError } from '../../common/errors/index.js';

const LONGEST_NAME = 128;
/** GetWorkloadAccessTokenForUserId takes 1 to 128 characters; printable ASCII covers what providers issue (OIDC Core §2). */
const SUBJECT = /^[\x21-\x7e]{1,128}$/;
const STRING_OR_NAME = /"(?:[^"\\]|\\.)*"(\s*:)?/gs;
/** The longest session at the load balancer. No provider issues access tokens for longer than a day or two. */
const LONGEST_LIFETIME_S = 7 * 24 * 3600;

/** The reason why a token was refused, for the log; from a closed set. */
export type TokenFault =
  | 'shape'
  | 'header'
  | 'kid'
  | 'signer'
  | 'client'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'lifetime'
  | 'subject'
  | 'no_user'
  | 'unknown_key'
  | 'unfit_key'
  | 'signature';

export type Claims = Readonly<Record<string, unknown>>;

export function refuseToken(reason: TokenFault, cause?: unknown): AppError {
  return new AppError('unauthenticated', { reason: `token_${reason}`, cause });
}

/** A subject that AgentCore Identity accepts as a user id. */
export function isSubject(value: unknown): value is string {
  return typeof value === 'string' && SUBJECT.test(value);
}

/** Name and account of a person, if the claims contain them. */
export function displayNameOf(payload: Claims): string | undefined {
  const text = (value: unknown): string =>
    typeof value === 'string' ? value.trim().slice(0, LONGEST_NAME) : '';
  const account = text(payload.preferred_username) || text(payload.email);
  const name = text(payload.name);
  return (name !== '' && account !== '' ? `${name} (${account})` : name + account) || undefined;
}

/**
 * @param exp Unix seconds (RFC 7519, 4.1.4)
 * @param now Unix seconds
 * @throws AppError `unauthenticated`: the token has expired, or would be valid for more than seven days
 */
export function requireLifetime(exp: unknown, now: number): void {
  if (typeof exp !== 'number' || !Number.isFinite(exp) || exp <= now) throw refuseToken('expired');
  if (exp > now + LONGEST_LIFETIME_S) throw refuseToken('lifetime');
}

/** Parses a segment of a JWS as a JSON object in which each member occurs once; undefined for anything else. */
export function decodeObject(segment: string): Claims | undefined {
  try {
    const text = Buffer.from(segment, 'base64url').toString('utf8');
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    // Parsers differ in which of two members of the same name counts (RFC 7515, section 4).
    const written = [...text.matchAll(STRING_OR_NAME)].filter(([, colon]) => colon !== undefined);
    return written.length === countMembers(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  const own = Array.isArray(value) ? 0 : members.length;
  return members.reduce<number>((count, member) => count + countMembers(member), own);
}
