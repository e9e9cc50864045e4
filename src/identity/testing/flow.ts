import type { Consent } from '../../audit/index.js';
import type { FlowConfig } from '../../config/index.js';
import type { FlowTicket } from '../flow/index.js';

/** The configuration of flows at a deployment. */
export const FLOWS: FlowConfig = {
  publicUrl: 'https://a.example',
  authorizationOrigin: 'https://identity.example',
  secret: 'x'.repeat(32),
  acceptedSecrets: [],
};

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
  display: { provider: 'GitHub', scopes: [{ allows: 'Read your profile' }], tool: 'Read it' },
  authorizationUrl: 'https://identity.example/authorize?request_uri=x',
  sessionUri: 'urn:ietf:params:oauth:request_uri:abc',
  customState: 's',
  consent: CONSENT,
  expiresAt: Date.now() + 600_000,
};
