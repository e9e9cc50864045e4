import { describe, expect, it } from '@jest/globals';
import {
  ContextWindowOverflowError,
  MaxTokensError,
  Message,
  ModelError,
  ModelThrottledError,
  type Model,
} from '@strands-agents/sdk';
import { AppError, type ErrorCode } from '../../common/errors/index.js';
import { asLoopError } from './loop-error.js';

const named = (name: string): Error => Object.assign(new Error('SECRET upstream text'), { name });
const cutOff = new MaxTokensError('cut off', new Message({ role: 'assistant', content: [] }));

describe('the failure of a loop', () => {
  it.each<[string, unknown, ErrorCode]>([
    ['of the model', new ModelError('failed'), 'model_unavailable'],
    [
      'of the model, whose cause is no error',
      new ModelError('failed', { cause: 'text' }),
      'model_unavailable',
    ],
    ['by a throttle', new ModelThrottledError('slow'), 'model_throttled'],
    [
      'by a throttle that has a cause',
      new ModelThrottledError('slow', { cause: named('Other') }),
      'model_throttled',
    ],
    ['by an answer that is too long', cutOff, 'model_limit'],
    ['by a conversation that is too long', new ContextWindowOverflowError('long'), 'model_limit'],
    ['of any other kind', new Error('broken'), 'internal_error'],
    ['that is no error', 'broken', 'internal_error'],
    ['that is nothing', undefined, 'internal_error'],
  ])('%s has a code of the table', (_name, thrown, code) => {
    expect(asLoopError(thrown)).toMatchObject({ name: 'AppError', code });
  });

  it.each<[string, ErrorCode]>([
    ['ThrottlingException', 'model_throttled'],
    ['ServiceQuotaExceededException', 'model_throttled'],
    ['CredentialsProviderError', 'model_unavailable'],
    ['ValidationException', 'model_rejected'],
    ['AccessDeniedException', 'model_misconfigured'],
    ['ResourceNotFoundException', 'model_misconfigured'],
  ])('is told by the name of what Bedrock says, bare or within: %s', (name, code) => {
    const bare = named(name);
    expect(asLoopError(bare).code).toBe(code);
    const within = asLoopError(new ModelError('failed', { cause: bare }));
    expect(within.code).toBe(code);
    expect(within.cause).toBe(bare);
  });

  it('says how long an answer may be', () => {
    const model = { getConfig: () => ({ maxTokens: 300 }) } as Model;
    const detail = 'The answer is longer than 300 tokens, which is the limit. Ask for less.';
    expect(asLoopError(cutOff, model)).toMatchObject({ code: 'model_limit', detail });
    const overflow = new ContextWindowOverflowError('long');
    expect(asLoopError(overflow, model).detail).toBe(asLoopError(overflow).detail);
  });

  it('keeps what was thrown as its cause, and does not show it', () => {
    const thrown = named('Other');
    const error = asLoopError(thrown);
    expect(error.cause).toBe(thrown);
    expect(error.detail).not.toContain('SECRET');
  });

  it('looks for a cause in what the model throws alone', () => {
    const thrown = new Error('broken', { cause: named('ThrottlingException') });
    expect(asLoopError(thrown)).toMatchObject({ code: 'internal_error', cause: thrown });
  });

  it('stays an error of the table that it is', () => {
    const error = new AppError('run_limit');
    expect(asLoopError(error)).toBe(error);
  });

  it('is an error of the table that was thrown while the model answered', () => {
    const error = new AppError('model_invalid');
    expect(asLoopError(new ModelError('failed', { cause: error }))).toBe(error);
  });
});
