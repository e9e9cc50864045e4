import { isSafeUrl } from './variables.js';

/** Where an issuer's discovery document is. OpenID Connect Discovery 1.0, 4. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Where such a document says that the issuer's keys are; undefined unless it is safe. Some providers put a query there. */
export function jwksUrl({ jwks_uri: address }: { readonly jwks_uri?: unknown }): URL | undefined {
  if (typeof address !== 'string' || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  return isSafeUrl(new URL(url.pathname, url)) ? url : undefined;
}
