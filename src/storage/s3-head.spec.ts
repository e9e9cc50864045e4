import { NotFound, S3Client, type HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { recordedLog } from '../common/logging/testing/recorded-log.js';
import { S3Adapter } from './s3.adapter.js';

const MODIFIED = new Date('2026-01-01T00:00:00Z');

describe('the head of an object', () => {
  let adapter: S3Adapter;
  let headers: Readonly<Record<string, string>>;
  let output: object;
  let asked: unknown[];

  beforeEach(() => {
    recordedLog();
    asked = [];
    output = { LastModified: MODIFIED };
    const send = async (command: HeadObjectCommand): Promise<unknown> => {
      asked.push(command.input);
      const handler = command.middlewareStack.resolve(
        () => Promise.resolve({ response: { headers }, output: output as never }),
        {},
      );
      return (await handler({ input: command.input })).output;
    };
    jest.spyOn(S3Client.prototype, 'send').mockImplementation(send as never);
    adapter = new S3Adapter({
      bucket: 'conversations',
      region: 'eu-west-1',
      pathStyle: false,
      deadlineMs: 1_000,
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([
    ['Thu, 01 Jan 2026 00:00:00 GMT', 0],
    ['Thu, 01 Jan 2026 00:00:07 GMT', 7_000],
    ['Thu, 01 Jan 2026 01:00:00 GMT', 3_600_000],
  ])("tells its age by S3's own clock: %s", async (date, age) => {
    headers = { date };
    expect(await adapter.head('tasks/one.json')).toEqual({ ageMs: age, note: undefined });
    expect(asked).toEqual([{ Bucket: 'conversations', Key: 'tasks/one.json' }]);
  });

  it('has the note that was written with the object', async () => {
    headers = { date: MODIFIED.toUTCString() };
    output = { LastModified: MODIFIED, Metadata: { note: 'abc' } };
    expect(await adapter.head('key')).toEqual({ ageMs: 0, note: 'abc' });
  });

  it('is none where there is no object', async () => {
    const none = new NotFound({ message: 'none', $metadata: { httpStatusCode: 404 } });
    jest.spyOn(S3Client.prototype, 'send').mockImplementation(() => {
      throw none;
    });
    expect(await adapter.head('key')).toBeUndefined();
  });

  it.each([
    ['no date', {}, { LastModified: MODIFIED }],
    ['no time of its own', { date: MODIFIED.toUTCString() }, {}],
  ])('cannot be read without %s', async (_name, given, answer) => {
    [headers, output] = [given, answer];
    await expect(adapter.head('key')).rejects.toMatchObject({
      code: 'sessions_unavailable',
      reason: 'HeadObject',
    });
  });
});
