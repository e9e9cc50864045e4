import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { LocalS3 } from '../../local/s3/s3.ts';

/** The unmodified AWS SDK, for a stand-in of S3. It tries each request once. */
export function clientOf({ url }: LocalS3): S3Client {
  return new S3Client({
    region: 'eu-central-1',
    endpoint: url,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'x' },
  });
}

/** The error class and the status with which a request fails. */
export async function errorOf(work: Promise<unknown>): Promise<readonly [string, number | undefined]> {
  const error: unknown = await work
    .then(() => new Error('it was accepted'))
    .catch((thrown: unknown) => thrown);
  return error instanceof S3ServiceException
    ? [error.name, error.$metadata.httpStatusCode]
    : [String(error), undefined];
}
