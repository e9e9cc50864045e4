import { describe, expect, it } from '@jest/globals';
import { annotateContext, runInContext } from '../context/index.js';
import { JsonLogger } from './json-logger.js';

describe('JsonLogger', () => {
  const lines: string[] = [];
  const logger = new JsonLogger(
    { level: 'trace', role: 'agent', environment: 'test' },
    { write: (line) => lines.push(line) },
  );
  const written = (work: () => void): Record<string, unknown> => {
    lines.length = 0;
    work();
    expect(lines).toHaveLength(1);
    return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  };

  it('writes one object per line, whatever it contains', () => {
    const hostile = 'a\n{"level":"fatal"}\r\n\u2028"\\ \u0000';
    expect(
      written(() => {
        logger.log({ event: 'x', text: hostile }, 'Context');
      }),
    ).toMatchObject({ level: 'info', role: 'agent', context: 'Context', text: hostile });
    expect(
      written(() => {
        logger.warn(hostile);
      }),
    ).toMatchObject({ level: 'warn', msg: hostile });
  });

  it('adds the ids of the request', () => {
    const line = written(() => {
      runInContext({ requestId: 'r' }, () => {
        annotateContext({ sessionId: 's' });
        logger.debug('x');
      });
    });
    expect(line).toMatchObject({ requestId: 'r', sessionId: 's' });
  });

  it('keeps only the name of an error', () => {
    expect(
      written(() => {
        logger.error(new TypeError('SECRET'), 'stack', 'Context');
      }),
    ).toMatchObject({ error: 'TypeError' });
    expect(lines[0]).not.toContain('SECRET');
  });

  it('writes the other levels', () => {
    expect(
      written(() => {
        logger.verbose('x');
      }).level,
    ).toBe('trace');
    expect(
      written(() => {
        logger.fatal('x');
      }).level,
    ).toBe('fatal');
  });
});
