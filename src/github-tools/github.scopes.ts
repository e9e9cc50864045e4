import type { ScopeText } from '../tools/index.js';

/** What each scope that our tools ask for allows, as GitHub's own consent page says it. */
export const GITHUB_SCOPES = {
  'read:user': 'Read all user profile data',
  repo: {
    allows: 'Full control of private repositories',
    why: 'GitHub has no narrower scope that shows private repositories. The assistant writes to them only with your approval.',
  },
} as const satisfies Readonly<Record<string, ScopeText>>;

/** https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps: what a wider scope includes. */
const WIDER: Readonly<Record<string, readonly string[]>> = { 'read:user': ['user'], public_repo: ['repo'] };

export function covers(granted: readonly string[], scope: string): boolean {
  return granted.includes(scope) || (WIDER[scope] ?? []).some((wider) => granted.includes(wider));
}
