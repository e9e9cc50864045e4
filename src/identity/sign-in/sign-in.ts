import type { FastifyRequest } from 'fastify';

export const SIGN_IN = Symbol('SignIn');

/** Who a token is about. */
export interface SignedIn {
  readonly subject: string;
  /** For pages only. */
  readonly displayName: string | undefined;
}

/** Where a request carries its token, and whom the token vouches for. */
export interface SignIn {
  /** The scheme of `WWW-Authenticate` for those who are not signed in (RFC 9110, 11.6.1). */
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
