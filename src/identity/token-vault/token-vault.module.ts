import { Module } from '@nestjs/common';
import { ResourceTokens } from './resource-tokens.js';
import { TOKEN_VAULT } from './token-vault.js';
import { TokenVaultAdapter } from './token-vault.adapter.js';
import { WorkloadTokens } from './workload-tokens.js';

/** Fetches users' tokens from AgentCore Identity. Nothing in this folder completes an authorization. */
@Module({
  providers: [{ provide: TOKEN_VAULT, useClass: TokenVaultAdapter }, WorkloadTokens, ResourceTokens],
  exports: [ResourceTokens],
})
export class TokenVaultModule {}
