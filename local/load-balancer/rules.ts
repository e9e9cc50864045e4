/** The action of a listener rule for a request without a session: redirect to the identity provider, or answer 401. */
export type UnauthenticatedAction = 'authenticate' | 'deny';

export interface Rule {
  readonly paths: readonly RegExp[];
  readonly methods?: readonly string[];
  readonly action: UnauthenticatedAction;
  /** The name of a target group: `agent` and `session-binding`, or one of the stack's file. */
  readonly target: string;
}

/** A rule as the stack's file has it: paths as the load balancer takes them, where `*` is any text. */
export interface WrittenRule {
  readonly paths: readonly string[];
  readonly methods?: readonly string[] | undefined;
  readonly action: UnauthenticatedAction;
  readonly target: string;
}

/** A rule of the stack's file, to compare requests with. */
export function ruleOf({ paths, methods, action, target }: WrittenRule): Rule {
  return { paths: paths.map(patternOf), ...(methods !== undefined && { methods }), action, target };
}

function patternOf(path: string): RegExp {
  const literal = path.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`);
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
