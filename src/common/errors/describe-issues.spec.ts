import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { describeIssues } from './describe-issues.js';

const message = z.strictObject({ id: z.string(), message: z.string().min(1).max(5).regex(/\S/) });
const resume = z.strictObject({ id: z.string(), resume: z.array(z.strictObject({ status: z.enum(['a']) })) });
const limited = z.strictObject({ list: z.array(z.int()) });

describe('describeIssues', () => {
  it.each<[z.ZodType, unknown, string]>([
    [message, undefined, 'it is missing or of another type than expected'],
    [message, { id: 1, message: 'a' }, 'id is missing or of another type than expected'],
    [message, { id: 'a', message: '' }, 'message is too short or too small'],
    [message, { id: 'a', message: 'aaaaaa' }, 'message is too long or too large'],
    [message, { id: 'a', message: ' ' }, 'message has characters that are not allowed, or is too long'],
    [message, { id: 'a', message: 'a', SECRET: 1 }, 'it has members that are not known'],
    [resume, { id: 'a', resume: [{ status: 'SECRET' }] }, 'resume.0.status is not valid'],
    [
      z.record(z.string(), z.int()),
      { 'SECRET member': 'x' },
      'it is missing or of another type than expected',
    ],
    [z.string().refine(() => false), 'a', 'it is blank, or no valid Unicode'],
    [
      z.union([message, resume]),
      { id: 'a', message: 7 },
      'message is missing or of another type than expected',
    ],
    [
      z.union([message, resume]),
      { id: 'a', resume: 7 },
      'resume is missing or of another type than expected',
    ],
    [
      z.object({ in: z.union([message, resume]) }),
      { in: { id: 'a', message: 7 } },
      'in.message is missing or of another type than expected',
    ],
  ])('names the member that does not fit, and never repeats the input: %#', (schema, value, sentence) => {
    const { error } = schema.safeParse(value);
    const description = describeIssues(error?.issues ?? [], 'it');
    expect(description.split('; ')).toContain(sentence);
    expect(description).not.toContain('SECRET');
  });

  it('uses a sentence that the schema provides', () => {
    const schema = z.string().superRefine((_value, context) => {
      context.addIssue({ code: 'custom', params: { sentence: 'use other words' } });
    });
    expect(describeIssues(schema.safeParse('a').error?.issues ?? [], 'it')).toBe('use other words');
  });

  it('lists at most five faults', () => {
    const { error } = limited.safeParse({ list: ['a', 'b', 'c', 'd', 'e', 'f'] });
    expect(describeIssues(error?.issues ?? [], 'it').split('; ')).toHaveLength(5);
  });
});
