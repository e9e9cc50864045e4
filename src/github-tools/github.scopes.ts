/** What each scope that our tools ask for allows, in words. */
export const GITHUB_SCOPES = {
  'read:user': 'Read your profile',
  repo: 'Read and write your repositories, private ones included',
} as const;

/** https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps: what a wider scope includes. */
const WIDER: Readonly<Record<string, readonly string[]>> = { 'read:user': ['user'], public_repo: ['repo'] };

export function covers(granted: readonly string[], scope: string): boolean {
  return granted.includes(scope) || (WIDER[scope] ?? []).some((wider) => granted.includes(wider));
}
