import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { AppError } from '../errors/index.js';
import { recordedTelemetry, type RecordedTelemetry } from './testing/recorded-telemetry.js';
import { handedIn } from './trace-headers.js';
import { beginSpan, traced } from './traced.js';
import { traceIds, Work, workOf } from './work.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

describe('traced', () => {
  let recorded: RecordedTelemetry;

  beforeEach(() => {
    recorded = recordedTelemetry();
  });
  afterEach(() => recorded.stop());

  const called = (): Work => new Work(handedIn({ traceparent: `00-${TRACE}-${CALLER}-01` }));

  it('has the spans of work within work', async () => {
    const result = await called().do(() =>
      traced('outer', { kind: 'client', attributes: { a: 1 } }, () =>
        traced('inner', { attributes: {} }, async (span) => {
          await Promise.resolve();
          span.setAttribute('b', 'c');
          return traceIds();
        }),
      ),
    );
    const [inner, outer] = recorded.spans();
    expect(outer).toMatchObject({ name: 'outer', parentId: CALLER, attributes: { a: 1 }, failed: false });
    expect(inner).toMatchObject({ name: 'inner', parentId: outer?.spanId, attributes: { b: 'c' } });
    expect(result).toEqual({ traceId: TRACE, spanId: inner?.spanId });
  });

  it.each([
    ['the code', new AppError('model_throttled', { reason: 'SECRET' }), 'model_throttled'],
    ['the name', new TypeError('SECRET'), 'TypeError'],
    ['no text', Object.assign(new Error('SECRET'), { name: 'a SECRET' }), 'Error'],
  ])('marks a failure with %s of the error alone', async (_what, error, type) => {
    const work = called().do(() => traced('failing', { attributes: {} }, () => Promise.reject(error)));
    await expect(work).rejects.toBe(error);
    expect(recorded.spans()).toMatchObject([{ failed: true, attributes: { 'error.type': type } }]);
    expect(JSON.stringify(recorded.spans())).not.toContain('SECRET');
  });

  it('does not record what its caller has not sampled', async () => {
    const work = new Work(handedIn({ traceparent: `00-${TRACE}-${CALLER}-00` }));
    await work.do(() => traced('not sampled', { attributes: {} }, () => Promise.resolve()));
    expect(recorded.spans()).toEqual([]);
  });

  it('does not record what no request has caused', async () => {
    expect(await traced('of a timer', { attributes: {} }, () => Promise.resolve('done'))).toBe('done');
    expect(recorded.spans()).toEqual([]);
  });

  it('begins a trace with the id that a load balancer has named, or with another each time', () => {
    const aws = new Work(handedIn({ 'x-amzn-trace-id': `Root=1-4bf92f35-${TRACE.slice(8)}` }));
    for (const work of [aws, new Work(undefined), new Work(undefined)])
      beginSpan('first', { kind: 'server', attributes: {} }, work)?.end();
    const [named, ...others] = recorded.spans();
    expect(named).toMatchObject({ traceId: TRACE, parentId: undefined });
    expect(new Set(others.map(({ traceId }) => traceId)).size).toBe(2);
  });

  it('leaves the global providers of OpenTelemetry empty, into which Strands would write texts', async () => {
    const span = beginSpan('ours', { attributes: {} }, new Work(undefined));
    if (span === undefined) throw new Error('not recorded');
    await workOf(span).do(async () => {
      await Promise.resolve();
      expect(trace.getTracer('strands-agents').startSpan('theirs').isRecording()).toBe(false);
      expect(trace.getActiveSpan()).toBeUndefined();
    });
  });

  it('only does the work if nothing is recorded', async () => {
    await recorded.stop();
    const isRecording = await called().do(() =>
      traced('work', { attributes: {} }, (span) => Promise.resolve(span.isRecording())),
    );
    expect(isRecording).toBe(false);
  });
});
