import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openCircuit } from '../common/circuit/testing/open-circuit.js';
import { recordedLog } from '../common/logging/testing/recorded-log.js';
import { S3Adapter } from './s3.adapter.js';

const failure = new S3ServiceException({
  name: 'InternalError',
  $fault: 'server',
  $metadata: { httpStatusCode: 500 },
});

describe('while S3 is down', () => {
  let adapter: S3Adapter;
  let sent: number;

  beforeEach(() => {
    recordedLog();
    sent = 0;
    const send = (): Promise<never> => {
      sent += 1;
      return Promise.reject(failure);
    };
    jest.spyOn(S3Client.prototype, 'send').mockImplementation(send as never);
    adapter = new S3Adapter({
      bucket: 'conversations',
      region: 'eu-west-1',
      pathStyle: false,
      deadlineMs: 300,
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('a call fails at once, with the same error', async () => {
    await openCircuit(() => adapter.get('key'));
    await expect(adapter.put('key', '{}', { always: true })).rejects.toMatchObject({
      code: 'sessions_unavailable',
      reason: 'PutObject',
      cause: { name: 'CircuitOpenError' },
    });
    expect(sent).toBe(5);
  });
});
