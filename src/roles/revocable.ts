import type { RevocableProvider } from '../config/index.js';

/**
 * The providers at which session binding can end what users have authorized, where its environment names the OAuth client.
 * It has none of their code.
 */
export const REVOCABLE: readonly RevocableProvider[] = [
  {
    id: 'github',
    label: 'GitHub',
    apiBase: 'https://api.github.com',
    revocation: 'github',
    probePath: '/user',
  },
];
