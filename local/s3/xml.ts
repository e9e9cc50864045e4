import { escapeHtml } from '../lib/page.ts';
import type { UploadedPart } from './multipart.ts';
import { limitOf, type Listing, type StoredObject } from './object-store.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export function errorXml(code: string, message: string, requestId: string): string {
  return `${HEAD}<Error><Code>${code}</Code><Message>${escapeHtml(message)}</Message><RequestId>${requestId}</RequestId></Error>`;
}

export function listResult(bucket: string, listing: Listing, query: URLSearchParams): string {
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : escapeHtml;
  const contents = listing.objects.map(
    (stored) =>
      `<Contents><Key>${encode(stored.key)}</Key><LastModified>${timeOf(stored)}</LastModified>` +
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

export function versionsResult(
  bucket: string,
  versions: readonly (StoredObject & { readonly isLatest: boolean })[],
  query: URLSearchParams,
): string {
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : escapeHtml;
  const shown = versions.slice(0, limitOf(query));
  const rows = shown.map((stored) => {
    const kind = stored.isDeleteMarker === true ? 'DeleteMarker' : 'Version';
    const size =
      kind === 'Version'
        ? `<ETag>${escapeHtml(stored.etag)}</ETag><Size>${String(stored.body.length)}</Size><StorageClass>STANDARD</StorageClass>`
        : '';
    return (
      `<${kind}><Key>${encode(stored.key)}</Key><VersionId>${stored.versionId}</VersionId>` +
      `<IsLatest>${String(stored.isLatest)}</IsLatest><LastModified>${timeOf(stored)}</LastModified>${size}</${kind}>`
    );
  });
  const last = shown.at(-1);
  const hasMore = last !== undefined && shown.length < versions.length;
  const next = hasMore
    ? `<NextKeyMarker>${encode(last.key)}</NextKeyMarker><NextVersionIdMarker>${last.versionId}</NextVersionIdMarker>`
    : '';
  return (
    `${HEAD}<ListVersionsResult ${NAMESPACE}><Name>${escapeHtml(bucket)}</Name>` +
    `<Prefix>${encode(query.get('prefix') ?? '')}</Prefix><MaxKeys>${query.get('max-keys') ?? '1000'}</MaxKeys>` +
    (query.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : '') +
    `<IsTruncated>${String(hasMore)}</IsTruncated>${next}${rows.join('')}</ListVersionsResult>`
  );
}

export function bucketsResult(buckets: readonly string[]): string {
  const rows = buckets.map(
    (name) =>
      `<Bucket><Name>${escapeHtml(name)}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>`,
  );
  return (
    `${HEAD}<ListAllMyBucketsResult ${NAMESPACE}><Owner><ID>local</ID></Owner>` +
    `<Buckets>${rows.join('')}</Buckets></ListAllMyBucketsResult>`
  );
}

export function copyResult(
  { etag, modifiedAt }: Pick<StoredObject, 'etag' | 'modifiedAt'>,
  kind: 'Object' | 'Part',
): string {
  return (
    `${HEAD}<Copy${kind}Result ${NAMESPACE}><ETag>${escapeHtml(etag)}</ETag>` +
    `<LastModified>${timeOf({ modifiedAt })}</LastModified></Copy${kind}Result>`
  );
}

export function uploadBegun(bucket: string, key: string, uploadId: string): string {
  return (
    `${HEAD}<InitiateMultipartUploadResult ${NAMESPACE}><Bucket>${escapeHtml(bucket)}</Bucket>` +
    `<Key>${escapeHtml(key)}</Key><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`
  );
}

export function uploadCompleted({ bucket, key, etag }: StoredObject): string {
  return (
    `${HEAD}<CompleteMultipartUploadResult ${NAMESPACE}><Bucket>${escapeHtml(bucket)}</Bucket>` +
    `<Key>${escapeHtml(key)}</Key><ETag>${escapeHtml(etag)}</ETag></CompleteMultipartUploadResult>`
  );
}

export function partsResult(
  bucket: string,
  key: string,
  uploadId: string,
  parts: readonly UploadedPart[],
): string {
  const rows = parts.map(
    (part) =>
      `<Part><PartNumber>${String(part.number)}</PartNumber><ETag>${escapeHtml(part.etag)}</ETag>` +
      `<LastModified>${timeOf(part)}</LastModified><Size>${String(part.body.length)}</Size></Part>`,
  );
  return (
    `${HEAD}<ListPartsResult ${NAMESPACE}><Bucket>${escapeHtml(bucket)}</Bucket><Key>${escapeHtml(key)}</Key>` +
    `<UploadId>${uploadId}</UploadId><IsTruncated>false</IsTruncated>${rows.join('')}</ListPartsResult>`
  );
}

/** The parts that complete an upload, as the client names them. */
export function parseParts(xml: string): { readonly number: number; readonly etag: string }[] {
  return [...xml.matchAll(/<Part>([\s\S]*?)<\/Part>/g)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: unescapeXml(/<ETag>([^<]*)</.exec(part)?.[1] ?? ''),
  }));
}

function timeOf({ modifiedAt }: { readonly modifiedAt: number }): string {
  return new Date(modifiedAt).toISOString();
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

export interface NamedVersion {
  readonly key: string;
  readonly versionId?: string;
}

export function parseBatchDelete(xml: string): NamedVersion[] {
  return [...xml.matchAll(/<Object>([\s\S]*?)<\/Object>/g)].map(([, object = '']) => {
    const versionId = /<VersionId>([^<]*)</.exec(object)?.[1];
    const key = unescapeXml(/<Key>([^<]*)</.exec(object)?.[1] ?? '');
    return { key, ...(versionId !== undefined && { versionId }) };
  });
}

export function batchDeleteResult(deleted: readonly NamedVersion[]): string {
  const rows = deleted.map(({ key, versionId }) => {
    const version = versionId === undefined ? '' : `<VersionId>${versionId}</VersionId>`;
    return `<Deleted><Key>${escapeHtml(key)}</Key>${version}</Deleted>`;
  });
  return `${HEAD}<DeleteResult ${NAMESPACE}>${rows.join('')}</DeleteResult>`;
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
