import { isSafeUrl } from './variables.js';

/** The address of an issuer's discovery document. OpenID Connect Discovery 1.0, 4. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/**
 * The address of the issuer's keys in such a document; undefined when the address is not safe. Some providers add a query to
 * it.
 */
export function jwksUrl({ jwks_uri: address }: { readonly jwks_uri?: unknown }): URL | undefined {
  if (typeof address !== 'string' || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  return isSafeUrl(new URL(url.pathname, url)) ? url : undefined;
}
