import { describe, expect, it } from '@jest/globals';
import { readCallback } from './callback.js';

const PREFIX = 'urn:ietf:params:oauth:request_uri:';
const session_id = `${PREFIX}abc`;

describe('readCallback', () => {
  it.each<[string, Readonly<Record<string, unknown>>, object]>([
    ['only a session', { session_id }, { sessionUri: session_id, denied: false }],
    ['a state', { session_id, state: 's' }, { sessionUri: session_id, denied: false, state: 's' }],
    ['an empty state', { session_id, state: '' }, { sessionUri: session_id, denied: false, state: '' }],
    ['a denial', { session_id, error: 'access_denied' }, { sessionUri: session_id, denied: true }],
    ['an empty error', { session_id, error: '' }, { sessionUri: session_id, denied: false }],
    [
      'an error that is not a string',
      { session_id, error: ['x'] },
      { sessionUri: session_id, denied: false },
    ],
    ['an unknown parameter', { session_id, code: 'x' }, { sessionUri: session_id, denied: false }],
  ])('reads %s', (_name, parameters, read) => {
    expect(readCallback(parameters)).toStrictEqual(read);
  });

  it.each([`${PREFIX}A-Z.a~z_09`, `${PREFIX}${'x'.repeat(980)}`])(
    'accepts the session URI %j',
    (sessionUri) => {
      expect(readCallback({ session_id: sessionUri }).sessionUri).toBe(sessionUri);
    },
  );

  it('accepts a state of up to 4096 characters', () => {
    expect(readCallback({ session_id, state: 'x'.repeat(4_096) }).state).toHaveLength(4_096);
  });

  const denied = { error: 'access_denied' };
  it.each<[string, Readonly<Record<string, unknown>>, string, string]>([
    ['no session', {}, 'flow_invalid', 'session_id'],
    ['a denial without a session', denied, 'flow_denied', 'denied_without_session'],
    ['a denial with a wrong session', { ...denied, session_id: 'x' }, 'flow_invalid', 'session_id'],
    ['an empty error without a session', { error: '' }, 'flow_invalid', 'session_id'],
    ['two sessions', { session_id: [session_id, session_id] }, 'flow_invalid', 'session_id'],
    ['one session in a list', { session_id: [session_id] }, 'flow_invalid', 'session_id'],
    ['an empty session', { session_id: PREFIX }, 'flow_invalid', 'session_id'],
    ['text before it', { session_id: `x${session_id}` }, 'flow_invalid', 'session_id'],
    ['text after it', { session_id: `${session_id}/x` }, 'flow_invalid', 'session_id'],
    ['a line end after it', { session_id: `${session_id}\n` }, 'flow_invalid', 'session_id'],
    ['a session that is too long', { session_id: PREFIX + 'x'.repeat(981) }, 'flow_invalid', 'session_id'],
    ['two states', { session_id, state: ['a', 'b'] }, 'flow_invalid', 'state'],
    ['a state that is too long', { session_id, state: 'x'.repeat(4_097) }, 'flow_invalid', 'state'],
  ])('refuses %s', (_name, parameters, code, reason) => {
    expect(() => readCallback(parameters)).toThrow(expect.objectContaining({ code, reason }));
  });
});
