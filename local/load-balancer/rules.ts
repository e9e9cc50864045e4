/** The action of a listener rule for a request without a session: redirect to the identity provider, or answer 401. */
export type UnauthenticatedAction = 'authenticate' | 'deny';

export interface Rule {
  readonly paths: readonly RegExp[];
  readonly methods?: readonly string[];
  readonly action: UnauthenticatedAction;
  readonly target: 'agent' | 'session-binding';
}

/**
 * The listener's rules. The first match applies, and a request that matches no rule gets 404. No rule lets a request in
 * without a sign-in.
 */
export const RULES: readonly Rule[] = [
  {
    paths: [/^\/oauth2\/(connect|session-binding)$/, /^\/sign-out$/],
    methods: ['GET'],
    action: 'authenticate',
    target: 'session-binding',
  },
  {
    paths: [/^\/oauth2\/(connect|revocation)$/, /^\/sign-out$/],
    action: 'deny',
    target: 'session-binding',
  },
  {
    paths: [/^\/$/, /^\/assets\/.*$/, /^\/docs(\/.*)?$/],
    methods: ['GET'],
    action: 'authenticate',
    target: 'agent',
  },
  {
    paths: [/^\/(invocations|openapi\.json)$/, /^\/runs\/.*$/, /^\/sessions(\/.*)?$/],
    action: 'deny',
    target: 'agent',
  },
  { paths: [/^\/(connections|me|receipts|usage)$/, /^\/connections\/.*$/], action: 'deny', target: 'agent' },
];
