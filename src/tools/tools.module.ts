import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { TokenVaultModule } from '../identity/token-vault/index.js';
import { StorageModule } from '../storage/index.js';
import { Accounts } from './accounts.js';
import { ConnectionsController } from './connections.controller.js';
import { Connections } from './connections.js';
import { ToolPipeline } from './tool-pipeline.js';
import { ToolRegistry } from './tool-registry.js';

/** The contract that a provider implements, and the only way to call its tools. Knows nothing of agent or model. */
@Module({
  imports: [DiscoveryModule, TokenVaultModule, StorageModule],
  controllers: [ConnectionsController],
  providers: [ToolRegistry, ToolPipeline, Accounts, Connections],
  exports: [ToolRegistry],
})
export class ToolsModule {}
