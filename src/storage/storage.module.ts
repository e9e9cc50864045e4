import { Module } from '@nestjs/common';
import { OBJECT_STORE } from './object-store.js';
import { S3Adapter } from './s3.adapter.js';

/** The bucket, for what each role may keep there: conversations and connections, or the flow ledger. */
@Module({ providers: [{ provide: OBJECT_STORE, useClass: S3Adapter }], exports: [OBJECT_STORE] })
export class StorageModule {}
