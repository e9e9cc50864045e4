import type { ScopeText } from '../tools/index.js';

/** The scopes that the tools ask for, in the words of GitHub's own consent page. */
export const GITHUB_SCOPES = {
  'read:user': 'Read all user profile data',
  repo: {
    allows: 'Full control of private repositories',
    why: 'GitHub has no narrower scope that shows private repositories. The assistant writes to them only with your approval.',
  },
} as const satisfies Readonly<Record<string, ScopeText>>;

/** https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps: which wider scope includes one. */
const WIDER: Readonly<Record<string, readonly string[]>> = { 'read:user': ['user'], public_repo: ['repo'] };

export function covers(granted: readonly string[], needed: string): boolean {
  return granted.includes(needed) || (WIDER[needed] ?? []).some((wider) => granted.includes(wider));
}

/** Classic OAuth tokens tell their scopes; GitHub App tokens have none, and send no such header. */
export function grantedScopes(headers: Headers): readonly string[] | undefined {
  return headers
    .get('x-oauth-scopes')
    ?.split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
}
