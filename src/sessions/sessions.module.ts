import { Module } from '@nestjs/common';
import { StorageModule } from '../storage/index.js';
import { Conversations } from './conversations.js';
import { TaskLease } from './task-lease.js';
import { SessionsController } from './sessions.controller.js';

/** Conversations in the bucket. */
@Module({
  imports: [StorageModule],
  controllers: [SessionsController],
  providers: [Conversations, TaskLease],
  exports: [Conversations],
})
export class SessionsModule {}
