import type { Account } from './browsers.ts';

/** The accounts that exist at every provider of the local stack. */
export const ACCOUNTS: readonly Account[] = [
  { login: 'alice-octo', name: 'Alice Arden' },
  { login: 'bob-octo', name: 'Bob Baker' },
  { login: 'carol-octo', name: 'Carol Castle' },
];
