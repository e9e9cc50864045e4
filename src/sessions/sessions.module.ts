import { Module } from '@nestjs/common';
import { StorageModule } from '../storage/index.js';
import { Conversations } from './conversations.js';
import { SharedRuns } from './shared-runs.js';
import { TaskLease } from './task-lease.js';
import { SessionsController } from './sessions.controller.js';

/** Conversations in the bucket. */
@Module({
  imports: [StorageModule],
  controllers: [SessionsController],
  providers: [Conversations, SharedRuns, TaskLease],
  exports: [Conversations, SharedRuns, TaskLease],
})
export class SessionsModule {}
