import type { Party } from './page/hop.ts';

/** What a hop is, and its step in the flow of docs/architecture.md. */
export interface Named {
  readonly title: string;
  readonly step?: string;
}

interface Rule {
  readonly to: Party;
  readonly from?: Party;
  /** Matches `METHOD /path?query`. */
  readonly line: RegExp;
  readonly title: string;
  readonly step?: string;
}

const RULES: readonly Rule[] = [
  { to: 'load-balancer', line: /^POST \/invocations/, title: 'Message, or answers', step: '1' },
  { to: 'agent', line: /^POST \/invocations/, title: 'Message, with the signed user', step: '1' },
  {
    to: 'agentcore-identity',
    line: /^POST .*GetWorkloadAccessToken/,
    title: 'Workload access token for the user',
    step: '2–3',
  },
  {
    to: 'agentcore-identity',
    line: /^POST \/identities\/oauth2\/token$/,
    title: "The user's token, or a new authorization",
    step: '4–6',
  },
  { to: 'load-balancer', line: /^(GET|POST) \/oauth2\/connect/, title: 'The page before consent', step: '8' },
  {
    to: 'session-binding',
    line: /^(GET|POST) \/oauth2\/connect/,
    title: 'The page before consent',
    step: '8',
  },
  {
    to: 'agentcore-identity',
    line: /^GET \/identities\/oauth2\/authorize/,
    title: 'To the provider',
    step: '8',
  },
  { to: 'provider', line: /^(GET|POST) [^ ]*\/authorize/, title: 'Sign-in and consent', step: '8' },
  {
    to: 'agentcore-identity',
    line: /^GET \/identities\/oauth2\/callback/,
    title: 'Back with a code',
    step: '9–10',
  },
  {
    to: 'load-balancer',
    line: /^GET \/oauth2\/session-binding/,
    title: 'Back with the session URI',
    step: '11',
  },
  {
    to: 'session-binding',
    line: /^GET \/oauth2\/session-binding/,
    title: 'Is it the same user, in the same browser?',
    step: '11',
  },
  {
    to: 'agentcore-identity',
    line: /^POST .*CompleteResourceTokenAuth/,
    title: 'The authorization is bound',
    step: '12',
  },
  { to: 'provider', line: /^POST [^ ]*\/(access_token|token)$/, title: 'Code for token', step: '13–14' },
  { to: 'load-balancer', line: /^(GET|POST) \/oauth2\/idpresponse/, title: 'Signed in' },
  { to: 'identity-provider', line: /^POST \/token/, title: 'Sign-in: code for tokens' },
  { to: 'identity-provider', line: /^(GET|POST) \/me/, title: 'Sign-in: who is it?' },
  { to: 'identity-provider', line: /^GET \/\.well-known/, title: 'Sign-in: discovery' },
  { to: 'identity-provider', line: /^(GET|POST) \/(auth|interaction)/, title: 'Sign-in page' },
  { to: 'provider', line: /^DELETE .*\/grant$/, title: 'End what the user has authorized' },
  { to: 'bedrock', line: /converse-stream/, title: 'Ask the model' },
  { to: 's3', line: /\/flows\//, title: 'Flow ledger' },
  { to: 's3', line: /\/receipts\//, title: 'Receipt' },
  { to: 's3', line: /\/connections\//, title: 'Connection' },
  { to: 's3', line: /\/tasks\//, title: 'Lease of a task' },
  { to: 's3', line: /\/usage\//, title: 'Usage' },
  { to: 's3', line: /\/sessions\/|\/users\//, title: 'Conversation' },
];

/** A short name of a request, and its step. */
export function nameOf(to: Party, line: string): Named {
  const rule = RULES.find((each) => each.to === to && each.line.test(line));
  if (rule !== undefined) return { title: rule.title, ...(rule.step !== undefined && { step: rule.step }) };
  const [method = '', path = ''] = line.split(' ', 2);
  return { title: `${method} ${path.split('?', 1)[0] ?? ''}` };
}
