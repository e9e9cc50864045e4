import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AwsCall } from '../lib/aws-call.ts';
import { notImplemented } from './headers.ts';
import type { Uploads } from './multipart.ts';
import type { ObjectStore } from './object-store.ts';

/** The settings of a bucket. */
export interface BucketSettings {
  readonly region: string;
  readonly versioned: boolean;
  readonly closedToThePublic: boolean;
  /** The KMS key that encrypts the bucket; S3's own key when absent. */
  readonly keyArn?: string;
}

export interface S3Call extends AwsCall {
  /** The size of the object that was written or read; 0 for every other call. */
  bytes: number;
}

/** A request, with what it is about. */
export interface S3Request {
  readonly store: ObjectStore;
  readonly uploads: Uploads;
  readonly settings: BucketSettings;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly bucket: string;
  /** Empty in a request about the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** Keeps what was called, for the tests of the policies. */
  readonly note: (action: string, bytes: number, more?: AwsCall['target']) => void;
}

/** How a request is answered. */
export type Answer = (asked: S3Request) => Promise<void> | void;

/** An operation, and the members that its query may have. A named one is chosen where the query has the first of them. */
export interface Operation {
  readonly members: readonly string[];
  readonly isNamed: boolean;
  readonly answer: Answer;
}

export function named(members: readonly string[], answer: Answer): Operation {
  return { members, isNamed: true, answer };
}

export function unnamed(members: readonly string[], answer: Answer): Operation {
  return { members, isNamed: false, answer };
}

/** Members that every query may have: those of a presigned URL, and the name that the SDK gives an operation. */
const EVERYWHERE = /^(X-Amz-.*|x-amz-(checksum|sdk-checksum)-.*|x-id)$/;

/** Answers with the operation that a query names, and else with the one that needs no name. @throws S3Error NotImplemented */
export function choose(asked: S3Request, operations: readonly Operation[] = []): Promise<void> | void {
  const names = [...asked.query.keys()].filter((name) => !EVERYWHERE.test(name));
  const chosen = operations.find(({ members, isNamed }) => isNamed && names.includes(members[0] ?? ''));
  const operation = chosen ?? operations.find(({ isNamed }) => !isNamed);
  const strange = names.find((name) => operation?.members.includes(name) !== true);
  if (operation === undefined || strange !== undefined)
    throw notImplemented(`${asked.request.method ?? ''} ${strange ?? ''}`.trim());
  return operation.answer(asked);
}

export function sendXml(
  response: ServerResponse,
  xml: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, { 'content-type': 'application/xml', ...headers });
  response.end(xml);
}
