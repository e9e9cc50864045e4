/** Fetches users' tokens from AgentCore Identity, for the agent role alone. */
export type { OAuth2Flow, TokenAnswer } from './token-vault.js';
export {
  ResourceTokens,
  type AuthorizationRequest,
  type ResourceToken,
  type ResourceTokenRequest,
} from './resource-tokens.js';
export { TokenVaultModule } from './token-vault.module.js';
