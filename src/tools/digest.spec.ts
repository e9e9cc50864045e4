import { describe, expect, it } from '@jest/globals';
import { canonicalJson, digestOf, type ApprovedCall } from './digest.js';

const CALL: ApprovedCall = { tool: 'post', input: { title: 'a', labels: ['x', 'y'] }, accountId: '1' };

describe('digestOf', () => {
  it('is the same for the same call, in whatever order its members come', () => {
    expect(digestOf({ ...CALL, input: { labels: ['x', 'y'], title: 'a' } })).toBe(digestOf(CALL));
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'é' })).toBe('{"a":"é","b":[{"c":null,"d":1}]}');
  });

  it.each<Partial<ApprovedCall>>([
    { tool: 'delete' },
    { accountId: '2' },
    { accountId: undefined },
    { input: { title: 'b', labels: ['x', 'y'] } },
    { input: { title: 'a', labels: ['y', 'x'] } },
    { input: { title: 'a', labels: ['x', 'y'], more: null } },
    { input: { title: 'a', labels: 'x,y' } },
    { input: {} },
    { input: JSON.parse('{"title":"a","labels":["x","y"],"__proto__":{}}') as unknown },
  ])('is another one for %j', (difference) => {
    expect(digestOf({ ...CALL, ...difference })).not.toBe(digestOf(CALL));
  });
});
