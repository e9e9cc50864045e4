import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { FlowModule } from '../identity/flow/index.js';
import { TokenVaultModule } from '../identity/token-vault/index.js';
import { ReceiptsModule } from '../receipts/index.js';
import { StorageModule } from '../storage/index.js';
import { Accounts } from './accounts.js';
import { ConnectionsController } from './connections.controller.js';
import { Connections } from './connections.js';
import { Disconnection } from './disconnection.js';
import { LastUses } from './last-uses.js';
import { Latch } from './latch.js';
import { Rules } from './rules.js';
import { ReceiptsController } from './receipts.controller.js';
import { ToolPipeline } from './tool-pipeline.js';
import { ToolRegistry } from './tool-registry.js';

/** The contract that a provider implements, and the only way to call its tools. Knows nothing of agent or model. */
@Module({
  imports: [DiscoveryModule, TokenVaultModule, FlowModule, StorageModule, ReceiptsModule],
  controllers: [ConnectionsController, ReceiptsController],
  providers: [ToolRegistry, ToolPipeline, Accounts, Connections, Latch, Rules, LastUses, Disconnection],
  exports: [ToolRegistry],
})
export class ToolsModule {}
