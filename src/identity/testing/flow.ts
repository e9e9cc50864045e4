import type { Consent } from '../../audit/index.js';
import type { FlowTicket } from '../outbound/flow-tickets.js';

export const CONSENT: Consent = {
  sessionId: 'one',
  runId: 'run',
  interruptId: 'interrupt-1',
  tool: 'read_it',
  provider: 'github',
  scopes: ['read:user'],
};

/** Alice's ticket, good for ten minutes. */
export const TICKET: FlowTicket = {
  sub: 'alice',
  words: { provider: 'GitHub', scopes: ['Read your profile'], tool: 'Read it' },
  authorizationUrl: 'https://identity.example/authorize?request_uri=x',
  sessionUri: 'urn:ietf:params:oauth:request_uri:abc',
  customState: 's',
  consent: CONSENT,
  expiresAt: Date.now() + 600_000,
};
