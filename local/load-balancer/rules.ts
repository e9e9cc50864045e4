/** What a listener rule does with a request that carries no session: ask the identity provider, or answer 401. */
export type UnauthenticatedAction = 'authenticate' | 'deny';

export interface Rule {
  readonly paths: readonly RegExp[];
  readonly methods?: readonly string[];
  readonly action: UnauthenticatedAction;
  readonly target: 'agent' | 'session-binding';
}

/** The listener's rules, first match first; what matches none is answered 404. There is no rule that lets anyone in. */
export const RULES: readonly Rule[] = [
  {
    paths: [/^\/oauth2\/(connect|session-binding)$/, /^\/sign-out$/],
    methods: ['GET'],
    action: 'authenticate',
    target: 'session-binding',
  },
  { paths: [/^\/oauth2\/connect$/, /^\/sign-out$/], action: 'deny', target: 'session-binding' },
  { paths: [/^\/$/, /^\/docs(\/.*)?$/], methods: ['GET'], action: 'authenticate', target: 'agent' },
  {
    paths: [/^\/(invocations|openapi\.json)$/, /^\/sessions(\/.*)?$/],
    action: 'deny',
    target: 'agent',
  },
];
