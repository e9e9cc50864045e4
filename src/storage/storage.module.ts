import { Module } from '@nestjs/common';
import { OBJECT_STORE } from './object-store.js';
import { S3Adapter } from './s3.adapter.js';

/** The bucket, which holds conversations and connections (agent role) and the flow ledger (both roles). */
@Module({ providers: [{ provide: OBJECT_STORE, useClass: S3Adapter }], exports: [OBJECT_STORE] })
export class StorageModule {}
