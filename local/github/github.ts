import { createEmulator } from 'emulate';
import { ACCOUNTS } from '../provider-gate/accounts.ts';
import {
  startProvider,
  type LocalProvider,
  type ProviderOptions,
  type ProviderRow,
} from '../provider-gate/provider.ts';
import { ApiGate } from './api-gate.ts';
import { SCOPES, seed } from './seed.ts';

/** GitHub, with the paths of an Enterprise Server. `emulate` holds the REST state behind the gate. */
export const gitHub: ProviderRow = {
  id: 'github',
  brand: 'GitHub (local)',
  accounts: ACCOUNTS,
  scopes: SCOPES,
  tokenPrefix: 'gho_',
  authorizePath: '/login/oauth/authorize',
  tokenPath: '/login/oauth/access_token',
  apiPrefix: '/api/v3',
  settingsPath: '/settings/applications',
  refusalStatus: 200,
  endsGrants: true,
  startApi: async (gate) =>
    new ApiGate(gate, await createEmulator({ service: 'github', port: 0, seed: seed() })),
};

export function startGitHub(options: ProviderOptions): Promise<LocalProvider> {
  return startProvider(gitHub, options);
}
