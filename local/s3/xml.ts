import { escapeHtml } from '../lib/page.ts';
import type { Listing } from './object-store.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export function errorXml(code: string, message: string): string {
  return `${HEAD}<Error><Code>${code}</Code><Message>${escapeHtml(message)}</Message><RequestId>local</RequestId></Error>`;
}

export function listResult(bucket: string, listing: Listing, query: URLSearchParams): string {
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : escapeHtml;
  const contents = listing.objects.map(
    (stored) =>
      `<Contents><Key>${encode(stored.key)}</Key><LastModified>${new Date(stored.modifiedAt).toISOString()}</LastModified>` +
      `<ETag>${escapeHtml(stored.etag)}</ETag><Size>${String(stored.body.length)}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const prefixes = listing.commonPrefixes.map(
    (prefix) => `<CommonPrefixes><Prefix>${encode(prefix)}</Prefix></CommonPrefixes>`,
  );
  const next =
    listing.nextToken === undefined
      ? ''
      : `<NextContinuationToken>${listing.nextToken}</NextContinuationToken>`;
  return (
    `${HEAD}<ListBucketResult ${NAMESPACE}><Name>${escapeHtml(bucket)}</Name>` +
    `<Prefix>${encode(query.get('prefix') ?? '')}</Prefix>` +
    `<KeyCount>${String(listing.objects.length + listing.commonPrefixes.length)}</KeyCount>` +
    `<MaxKeys>${query.get('max-keys') ?? '1000'}</MaxKeys>` +
    (query.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : '') +
    `<IsTruncated>${String(listing.nextToken !== undefined)}</IsTruncated>` +
    `${next}${contents.join('')}${prefixes.join('')}</ListBucketResult>`
  );
}

export function versionsResult(bucket: string, listing: Listing, query: URLSearchParams): string {
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : escapeHtml;
  const versions = listing.objects.map(
    (stored) =>
      `<Version><Key>${encode(stored.key)}</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>` +
      `<LastModified>${new Date(stored.modifiedAt).toISOString()}</LastModified>` +
      `<ETag>${escapeHtml(stored.etag)}</ETag><Size>${String(stored.body.length)}</Size></Version>`,
  );
  const last = listing.objects.at(-1)?.key ?? '';
  const next =
    listing.nextToken === undefined
      ? ''
      : `<NextKeyMarker>${encode(last)}</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>`;
  return (
    `${HEAD}<ListVersionsResult ${NAMESPACE}><Name>${escapeHtml(bucket)}</Name>` +
    `<Prefix>${encode(query.get('prefix') ?? '')}</Prefix><MaxKeys>${query.get('max-keys') ?? '1000'}</MaxKeys>` +
    (query.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : '') +
    `<IsTruncated>${String(listing.nextToken !== undefined)}</IsTruncated>` +
    `${next}${versions.join('')}</ListVersionsResult>`
  );
}

export function versioningXml(versioned: boolean): string {
  const status = versioned ? '<Status>Enabled</Status>' : '';
  return `${HEAD}<VersioningConfiguration ${NAMESPACE}>${status}</VersioningConfiguration>`;
}

export function encryptionXml(keyArn: string | undefined): string {
  const algorithm =
    keyArn === undefined
      ? '<SSEAlgorithm>AES256</SSEAlgorithm>'
      : `<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>${escapeHtml(keyArn)}</KMSMasterKeyID>`;
  return (
    `${HEAD}<ServerSideEncryptionConfiguration ${NAMESPACE}><Rule><ApplyServerSideEncryptionByDefault>` +
    `${algorithm}</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`
  );
}

export function publicAccessXml(): string {
  const all = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'];
  const each = all.map((name) => `<${name}>true</${name}>`).join('');
  return `${HEAD}<PublicAccessBlockConfiguration ${NAMESPACE}>${each}</PublicAccessBlockConfiguration>`;
}

export function parseBatchDelete(xml: string): string[] {
  return [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescapeXml(key));
}

export function batchDeleteResult(keys: readonly string[]): string {
  const deleted = keys.map((key) => `<Deleted><Key>${escapeHtml(key)}</Key></Deleted>`);
  return `${HEAD}<DeleteResult ${NAMESPACE}>${deleted.join('')}</DeleteResult>`;
}

function unescapeXml(text: string): string {
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
