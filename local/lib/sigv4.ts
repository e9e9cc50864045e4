import type { IncomingMessage } from 'node:http';

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]{3,128})\/\d{8}\/[a-z0-9-]+\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=[a-z0-9;:-]+, ?Signature=[0-9a-f]{64}$/;

/**
 * The access key id that signed a request for `service` with Signature Version 4; undefined when the request has no such
 * signature. The value of the signature is not checked, because the local keys have no real secret.
 */
export function signerOf(request: IncomingMessage, service: string): string | undefined {
  const match = AUTHORIZATION.exec(request.headers.authorization ?? '');
  if (match?.[2] !== service || request.headers['x-amz-date'] === undefined) return undefined;
  return match[1];
}
