import type { FastifyRequest } from 'fastify';

export const SIGN_IN = Symbol('SignIn');

/** The person that a token identifies. */
export interface SignedIn {
  readonly subject: string;
  /** For pages only. */
  readonly displayName: string | undefined;
}

/** A kind of sign-in: where a request carries its token, and how the token is verified. */
export interface SignIn {
  /** The scheme of `WWW-Authenticate` in a 401 answer (RFC 9110, 11.6.1). */
  readonly challenge: string;
  /** The one token of a request; undefined when there is none, or more than one. */
  tokenOf(request: FastifyRequest): string | undefined;
  /** @throws AppError `unauthenticated` | `sign_in_keys_unavailable` | `sign_in_throttled` */
  verify(token: string): Promise<SignedIn>;
}

/** The one value of a header; undefined when it is absent or was sent more than once. */
export function onlyHeader(request: FastifyRequest, name: string): string | undefined {
  const values = request.raw.headersDistinct[name] ?? [];
  return values.length === 1 ? values[0] : undefined;
}
