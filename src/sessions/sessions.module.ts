import { Module } from '@nestjs/common';
import { Conversations } from './conversations.js';
import { OBJECT_STORE } from './object-store.js';
import { S3Adapter } from './s3.adapter.js';
import { SessionsController } from './sessions.controller.js';

@Module({
  controllers: [SessionsController],
  providers: [Conversations, { provide: OBJECT_STORE, useClass: S3Adapter }],
  exports: [Conversations],
})
export class SessionsModule {}
