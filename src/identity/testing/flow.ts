import type { Consent } from '../../audit/index.js';
import type { AppConfig } from '../../config/index.js';
import type { FlowTicket } from '../flow/index.js';

/** What flows need of a deployment's configuration. */
export const FLOW_CONFIG = {
  publicUrl: 'https://a.example',
  authorizationOrigin: 'https://identity.example',
  flow: { secret: 'x'.repeat(32), acceptedSecrets: [], deployment: 'https://a.example' },
} as unknown as AppConfig;

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
