import { Module } from '@nestjs/common';
import { SessionsModule } from '../sessions/index.js';
import { StorageModule } from '../storage/index.js';
import { StoredUsage } from './stored-usage.js';
import { UsageController } from './usage.controller.js';
import { Usage } from './usage.js';

/** The usage of users, counted in memory and kept in the bucket. */
@Module({
  imports: [StorageModule, SessionsModule],
  controllers: [UsageController],
  providers: [Usage, StoredUsage],
  exports: [Usage],
})
export class UsageModule {}
