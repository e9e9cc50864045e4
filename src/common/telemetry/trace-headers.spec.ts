import { describe, expect, it } from '@jest/globals';
import { handedIn, handedOn } from './trace-headers.js';
import { traceIds, Work } from './work.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const AWS = 'Root=1-4bf92f35-77b34da6a3ce929d0e0e4736';

describe('the headers of a trace', () => {
  it.each([
    ['traceparent', { traceparent: `00-${TRACE}-${SPAN}-01` }, SPAN, 1],
    ['one that is not sampled', { traceparent: `00-${TRACE}-${SPAN}-00` }, SPAN, 0],
    ['other flags, which are dropped', { traceparent: `00-${TRACE}-${SPAN}-ff` }, SPAN, 1],
    ['a later version', { traceparent: `01-${TRACE}-${SPAN}-01-more` }, SPAN, 1],
    ['x-amzn-trace-id', { 'x-amzn-trace-id': `${AWS};Parent=${SPAN};Sampled=1` }, SPAN, 1],
    ['one that is not sampled', { 'x-amzn-trace-id': `${AWS};Parent=${SPAN};Sampled=0` }, SPAN, 0],
    ['one without a decision', { 'x-amzn-trace-id': `Self=1-2-3; ${AWS};Parent=${SPAN}` }, SPAN, 1],
    ['one without a span', { 'x-amzn-trace-id': AWS }, undefined, undefined],
    [
      'one with a span of zeros',
      { 'x-amzn-trace-id': `${AWS};Parent=${'0'.repeat(16)}` },
      undefined,
      undefined,
    ],
    ['both', { traceparent: `00-${TRACE}-${SPAN}-01`, 'x-amzn-trace-id': 'Root=1-1-1' }, SPAN, 1],
    ['a traceparent that is none', { traceparent: 'x', 'x-amzn-trace-id': `${AWS};Parent=${SPAN}` }, SPAN, 1],
  ])('are taken: %s', (_name, headers, spanId, traceFlags) => {
    const place = handedIn(headers);
    expect(place?.traceId).toBe(TRACE);
    expect(place?.span?.spanContext().spanId).toBe(spanId);
    expect(place?.span?.spanContext().traceFlags).toBe(traceFlags);
  });

  it.each([
    {},
    { traceparent: '' },
    { traceparent: [`00-${TRACE}-${SPAN}-01`] },
    { traceparent: `00-${TRACE}-${SPAN}-01-more` },
    { traceparent: `ff-${TRACE}-${SPAN}-01` },
    { traceparent: `00-${TRACE.toUpperCase()}-${SPAN}-01` },
    { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` },
    { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` },
    { traceparent: `00-${TRACE}-${SPAN}-01\r\nx: y` },
    { 'x-amzn-trace-id': 'Root=' },
    { 'x-amzn-trace-id': `Root=1-4bf92f35-${'g'.repeat(24)};Parent=${SPAN}` },
    { 'x-amzn-trace-id': [AWS] },
    { tracestate: 'a=b', baggage: 'c=d' },
  ])('are not taken: %j', (headers) => {
    expect(handedIn(headers)).toBeUndefined();
  });

  it('are handed on to AWS in both forms', () => {
    const work = new Work(handedIn({ traceparent: `00-${TRACE}-${SPAN}-01` }));
    expect(work.do(handedOn)).toEqual({
      traceparent: `00-${TRACE}-${SPAN}-01`,
      'x-amzn-trace-id': `${AWS};Parent=${SPAN};Sampled=1`,
    });
    expect(work.do(traceIds)).toEqual({ traceId: TRACE, spanId: SPAN });
  });

  it('are handed on as the load balancer has named the trace', () => {
    const work = new Work(handedIn({ 'x-amzn-trace-id': AWS }));
    expect(work.do(handedOn)).toEqual({ 'x-amzn-trace-id': AWS });
    expect(work.do(traceIds)).toEqual({ traceId: TRACE });
  });

  it.each([undefined, new Work(undefined)])('are not made up outside a trace', (work) => {
    const headers = work === undefined ? handedOn() : work.do(handedOn);
    expect(headers).toEqual({});
    expect(work === undefined ? traceIds() : work.do(traceIds)).toEqual({});
  });
});
