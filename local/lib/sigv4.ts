import type { IncomingMessage } from 'node:http';
import { urlOf } from './http.ts';

/** The signer, the day, the region and the service of a signature. */
const CREDENTIAL = '([A-Za-z0-9]{3,128})/\\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request';
const IN_HEADER = new RegExp(
  `^AWS4-HMAC-SHA256 Credential=${CREDENTIAL}, ?SignedHeaders=[a-z0-9;:-]+, ?Signature=[0-9a-f]{64}$`,
);
const IN_QUERY = new RegExp(`^${CREDENTIAL}$`);
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/**
 * The access key id that signed a request for `service` with Signature Version 4; undefined when the request has no such
 * signature. The value of the signature is not checked, because the local keys have no real secret.
 */
export function signerOf(request: IncomingMessage, service: string): string | undefined {
  const presigned = presignedBy(request, service);
  if (presigned !== undefined) return presigned;
  const match = IN_HEADER.exec(request.headers.authorization ?? '');
  if (match?.[2] !== service || request.headers['x-amz-date'] === undefined) return undefined;
  return match[1];
}

/** The signer of a presigned URL, while it is valid. Its signature is in the query. */
function presignedBy(request: IncomingMessage, service: string): string | undefined {
  const { searchParams } = urlOf(request);
  const [, signer, signedService] = IN_QUERY.exec(searchParams.get('X-Amz-Credential') ?? '') ?? [];
  const hasSignature = /^[0-9a-f]{64}$/.test(searchParams.get('X-Amz-Signature') ?? '');
  if (signedService !== service || !hasSignature) return undefined;
  const date = searchParams.get('X-Amz-Date')?.replace(DATE, '$1-$2-$3T$4:$5:$6Z') ?? '';
  const endsAt = Date.parse(date) + Number(searchParams.get('X-Amz-Expires')) * 1000;
  return endsAt > Date.now() ? signer : undefined;
}
