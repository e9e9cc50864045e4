/** One version of an object, or the marker that S3 leaves where an object was deleted. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly kind: 'object' | 'old version' | 'delete marker';
}

/** The port to the objects of one user with all their versions. */
export interface UserObjects {
  /** Every version, in pages of at most 1,000. @throws BucketFault */
  pages(): AsyncIterable<readonly ObjectVersion[]>;
  /** Deletes a page for good. @throws BucketFault */
  delete(page: readonly ObjectVersion[]): Promise<void>;
}

/** S3 did not do what was asked. */
export class BucketFault extends Error {
  override readonly name = 'BucketFault';

  /** @param action the IAM action, such as `s3:ListBucketVersions` */
  constructor(action: string, code: string, options?: ErrorOptions) {
    const permission = code === 'AccessDenied' ? ` Give this permission to the operator: ${action}.` : '';
    super(`${action} failed: ${code}.${permission}`, options);
  }
}
