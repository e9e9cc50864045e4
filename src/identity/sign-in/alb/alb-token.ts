import type { AlbConfig } from '../../../config/index.js';
import { decodeObject, displayNameOf, isSubject, refuseToken, requireLifetime } from '../claims.js';
import type { SignedIn } from '../sign-in.js';

/** The load balancer sends at most 16 KiB in a header. */
const MAXIMUM_LENGTH = 16_384;
/** The last character of a signature carries two bits, so only four characters are canonical. */
const SHAPE = /^[A-Za-z0-9_-]{8,}={0,2}\.[A-Za-z0-9_-]{2,}={0,2}\.[A-Za-z0-9_-]{85}[AQgw](?:==)?$/;
const KID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const HEADER_MEMBERS = new Set(['typ', 'alg', 'kid', 'iss', 'client', 'signer', 'exp']);

export interface InspectedToken extends SignedIn {
  readonly kid: string;
}

/**
 * Checks everything about a token that needs no key, so that no key is fetched for a token that cannot be ours.
 * `AlbJwtVerifier` 5.2 does not check the following: the header's own `exp` and `iss`, an unknown `crit`, a missing `sub`,
 * and unknown members. Do not trust the result before the signature is verified as well.
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
  requireLifetime(header.exp, now);
  if ('exp' in payload) requireLifetime(payload.exp, now);
  const subject = payload.sub;
  if (!isSubject(subject)) throw refuseToken('subject');
  return { kid, subject, displayName: displayNameOf(payload) };
}
