import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { ACCESS_KEYS, BUCKET, REGION } from '../../local/lib/names.ts';

/** The variable with the address of an S3 that tests use in the place of the stand-in. `npm run test:s3` sets it. */
export const OTHER_S3_URL = 'OTHER_S3_URL';

/** The secret key of every role on the local stack. */
export const SECRET = 'local-stack';

/** The bucket of the roles in another S3 than AWS's own, as the agent role reaches it. */
export class OtherBucket {
  readonly url: string;
  readonly #client: S3Client;

  constructor(url: string) {
    this.url = url;
    const credentials = { accessKeyId: ACCESS_KEYS.agent, secretAccessKey: SECRET };
    this.#client = new S3Client({ region: REGION, endpoint: url, forcePathStyle: true, credentials });
  }

  async create(): Promise<void> {
    await this.#client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  }

  /** Deletes the objects, except those under a prefix. */
  async empty(except: string): Promise<void> {
    for (;;) {
      const Objects = (await this.#keys()).filter((key) => !key.startsWith(except)).map((Key) => ({ Key }));
      if (Objects.length === 0) return;
      await this.#client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    }
  }

  /** The text of the object whose key has a certain end, if there is one. */
  async read(end: string): Promise<string | undefined> {
    const Key = (await this.#keys()).find((key) => key.endsWith(end));
    if (Key === undefined) return undefined;
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Body?.transformToString();
  }

  async #keys(): Promise<readonly string[]> {
    const { Contents = [] } = await this.#client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    return Contents.flatMap(({ Key }) => Key ?? []);
  }
}

const url = process.env[OTHER_S3_URL];
/** The other S3 of this run; undefined where the stand-in is used. */
export const otherBucket = url === undefined ? undefined : new OtherBucket(url);
