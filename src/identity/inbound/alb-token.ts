import { AppError } from '../../common/errors/index.js';
import type { AlbConfig } from '../../config/index.js';

/** The load balancer sends at most 16 KiB a header. */
const MAXIMUM_LENGTH = 16_384;
const LONGEST_NAME = 128;
/** The last character of a signature carries two bits, so only four characters are its canonical form. */
const SHAPE = /^[A-Za-z0-9_-]{8,}={0,2}\.[A-Za-z0-9_-]{2,}={0,2}\.[A-Za-z0-9_-]{85}[AQgw](?:==)?$/;
const STRING_OR_NAME = /"(?:[^"\\]|\\.)*"(\s*:)?/gs;
const KID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const HEADER_MEMBERS = new Set(['typ', 'alg', 'kid', 'iss', 'client', 'signer', 'exp']);
/** GetWorkloadAccessTokenForUserId takes 1 to 128 characters; printable ASCII covers what providers issue (OIDC Core §2). */
const SUBJECT = /^[\x21-\x7e]{1,128}$/;

/** Why a token was refused: for the log, from a closed set. */
export type TokenFault =
  | 'shape'
  | 'header'
  | 'kid'
  | 'signer'
  | 'client'
  | 'issuer'
  | 'expired'
  | 'subject'
  | 'unknown_key'
  | 'signature';

export interface InspectedToken {
  readonly kid: string;
  readonly subject: string;
  readonly displayName: string | undefined;
}

export function refuseToken(reason: TokenFault, cause?: unknown): AppError {
  return new AppError('unauthenticated', { reason: `token_${reason}`, cause });
}

/**
 * Everything about a token that needs no key, so that nothing is fetched for one that cannot be ours. `AlbJwtVerifier`
 * 5.2 leaves these open: the header's own `exp` and `iss`, unknown `crit`, a missing `sub`, members it does not know.
 * A result means nothing until the signature has been verified as well.
 * @param now Unix seconds
 * @throws AppError `unauthenticated`
 */
export function inspectAlbToken(token: string, expected: AlbConfig, now: number): InspectedToken {
  if (token.length > MAXIMUM_LENGTH || !SHAPE.test(token)) throw refuseToken('shape');
  const [header, payload] = token.split('.', 2).map(decodeObject);
  if (header === undefined || payload === undefined) throw refuseToken('shape');
  if (
    header.alg !== 'ES256' ||
    header.typ !== 'JWT' ||
    !Object.keys(header).every((name) => HEADER_MEMBERS.has(name))
  ) {
    throw refuseToken('header');
  }
  const { kid } = header;
  if (typeof kid !== 'string' || !KID.test(kid)) throw refuseToken('kid');
  if (header.signer !== expected.arn) throw refuseToken('signer');
  if (header.client !== expected.clientId) throw refuseToken('client');
  if (header.iss !== expected.issuer) throw refuseToken('issuer');
  if ('iss' in payload && payload.iss !== expected.issuer) throw refuseToken('issuer');
  if (!isFuture(header.exp, now) || ('exp' in payload && !isFuture(payload.exp, now)))
    throw refuseToken('expired');
  const subject = payload.sub;
  if (!isSubject(subject)) throw refuseToken('subject');
  return { kid, subject, displayName: displayNameOf(payload) };
}

/** A subject that AgentCore Identity takes as a user id. */
export function isSubject(value: unknown): value is string {
  return typeof value === 'string' && SUBJECT.test(value);
}

/** Name and account of a person, as far as claims have them. */
export function displayNameOf(payload: Readonly<Record<string, unknown>>): string | undefined {
  const text = (value: unknown): string =>
    typeof value === 'string' ? value.trim().slice(0, LONGEST_NAME) : '';
  const account = text(payload.preferred_username) || text(payload.email);
  const name = text(payload.name);
  return (name !== '' && account !== '' ? `${name} (${account})` : name + account) || undefined;
}

function isFuture(exp: unknown, now: number): boolean {
  return typeof exp === 'number' && Number.isFinite(exp) && exp > now;
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  const own = Array.isArray(value) ? 0 : members.length;
  return members.reduce<number>((count, member) => count + countMembers(member), own);
}

function decodeObject(segment: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = Buffer.from(segment, 'base64url').toString('utf8');
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    // Two members of one name: readers differ in which of them counts (RFC 7515, section 4).
    const written = [...text.matchAll(STRING_OR_NAME)].filter(([, colon]) => colon !== undefined);
    return written.length === countMembers(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
