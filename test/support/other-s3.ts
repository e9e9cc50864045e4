import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ACCESS_KEYS, BUCKET, REGION } from '../../local/lib/names.ts';

/** The variable with the address of an S3 that tests use in the place of the stand-in. `npm run test:s3` sets it. */
export const OTHER_S3 = 'OTHER_S3_URL';

/** The secret key of every role on the local stack. */
export const SECRET = 'local-stack';

/** A client of another S3 than AWS's own, with the credentials of the agent role. */
export function clientOfOther(endpoint: string): S3Client {
  const credentials = { accessKeyId: ACCESS_KEYS.agent, secretAccessKey: SECRET };
  return new S3Client({ region: REGION, endpoint, forcePathStyle: true, credentials });
}

/** Deletes the objects of the roles, except those under a prefix. */
export async function emptyBucket(endpoint: string, except: string): Promise<void> {
  const client = clientOfOther(endpoint);
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    const Objects = Contents.flatMap(({ Key }) =>
      Key === undefined || Key.startsWith(except) ? [] : [{ Key }],
    );
    if (Objects.length === 0) return;
    await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
  }
}

/** The text of the object whose key has a certain end, if there is one. */
export async function objectOf(endpoint: string, end: string): Promise<string | undefined> {
  const client = clientOfOther(endpoint);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  const found = Contents.find(({ Key = '' }) => Key.endsWith(end));
  if (found === undefined) return undefined;
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: found.Key }));
  return Body?.transformToString();
}
