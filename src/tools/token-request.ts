import type { ResourceTokenRequest } from '../identity/token-vault/index.js';
import type { AgentToolOptions } from './agent-tool.decorator.js';
import type { RegisteredTool } from './tool-call.js';

/** What the vault is asked for a tool: a token of the provider, as the provider's own parameters say. */
export function tokenRequest(
  { provider, config }: Pick<RegisteredTool['offered'], 'provider' | 'config'>,
  { scopes, flow }: AgentToolOptions['access'],
): ResourceTokenRequest {
  return {
    provider: config.credentialProvider,
    scopes,
    ...(flow !== undefined && { flow }),
    ...(provider.authorizationParameters !== undefined && {
      customParameters: provider.authorizationParameters,
    }),
  };
}
