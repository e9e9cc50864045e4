import { describe, expect, it } from '@jest/globals';
import { annotateContext, runInContext } from '../context/index.js';
import { handedIn, Work } from '../telemetry/index.js';
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
        annotateContext({ sessionId: 's', user: 'alice' });
        logger.debug('x');
      });
    });
    expect(line).toMatchObject({ requestId: 'r', sessionId: 's' });
    expect(line).not.toHaveProperty('user');
  });

  it('adds the ids of a trace that the caller has named', () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const line = written(() => {
      new Work(handedIn({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` })).do(() => {
        logger.debug('x');
      });
    });
    expect(line).toMatchObject({ traceId, spanId: '00f067aa0ba902b7' });
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
