import { describe, expect, it } from '@jest/globals';
import { errorFields } from './index.js';

const errorOf = (members: object, message = 'SECRET text'): Error =>
  Object.assign(new Error(message), members);

describe('errorFields', () => {
  it.each<[unknown, string]>([
    ['SECRET', 'string'],
    [undefined, 'undefined'],
    [{ name: 'SECRET', code: 'ENOTFOUND' }, 'object'],
  ])('says of what is no error only its type: %j', (thrown, type) => {
    expect(errorFields(thrown)).toEqual({ error: type });
  });

  it('says the name, and the four innermost places without the message', () => {
    const error = errorOf({
      stack: `TypeError: SECRET\n    at a\n    at b\nSECRET at x\n    at c\n    at d\n    at e`,
    });
    error.name = 'TypeError';
    expect(errorFields(error)).toEqual({ error: 'TypeError', at: ['at a', 'at b', 'at c', 'at d'] });
  });

  it('needs no stack', () => {
    expect(errorFields(errorOf({ stack: undefined }))).toEqual({ error: 'Error', at: [] });
  });

  it.each(['AccessDenied', 'NoSuchBucket', 'AWS.Denied_1', 'x', 'N'.repeat(64)])(
    'says the name %s',
    (name) => {
      expect(errorFields(errorOf({ name })).error).toBe(name);
    },
  );

  it.each(['SECRET text', '', '1x', ' x', 'x\n', 'a"b', 'N'.repeat(65)])(
    'does not say the name %j',
    (name) => {
      expect(errorFields(errorOf({ name })).error).toBe('Error');
    },
  );

  it.each(['ENOTFOUND', 'ECONNREFUSED', 'ETIMEDOUT', 'EAI_AGAIN', 'EIO', `E${'X'.repeat(20)}`])(
    'says the code %s of the system',
    (code) => {
      expect(errorFields(errorOf({ code })).systemCode).toBe(code);
      expect(errorFields(errorOf({ cause: errorOf({ code }) })).systemCode).toBe(code);
    },
  );

  it.each([
    'SECRET',
    'EX',
    'enotfound',
    'XENOTFOUND',
    'ENOTFOUND SECRET',
    `E${'X'.repeat(21)}`,
    'E2BIG',
    7,
    null,
  ])('does not say the code %j', (code) => {
    expect(errorFields(errorOf({ code, cause: { code: 'ENOTFOUND' } }))).not.toHaveProperty('systemCode');
  });

  it("says the error's own code before that of its cause", () => {
    const cause = errorOf({ code: 'ETIMEDOUT' });
    expect(errorFields(errorOf({ code: 'ENOTFOUND', cause })).systemCode).toBe('ENOTFOUND');
  });

  it('says the status and the request id of an AWS answer', () => {
    const error = errorOf({
      name: 'AccessDenied',
      stack: '',
      $metadata: { httpStatusCode: 403, requestId: 'aws-1', attempts: 1 },
    });
    expect(errorFields(error)).toEqual({
      error: 'AccessDenied',
      at: [],
      awsStatus: 403,
      awsRequestId: 'aws-1',
    });
  });

  it('says neither where AWS did not answer', () => {
    const error = errorOf({ stack: '', code: 'ENOTFOUND', $metadata: { attempts: 3 } });
    expect(errorFields(error)).toEqual({ error: 'Error', systemCode: 'ENOTFOUND', at: [] });
  });
});
