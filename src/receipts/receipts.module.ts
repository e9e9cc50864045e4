import { Module } from '@nestjs/common';
import { StorageModule } from '../storage/index.js';
import { Receipts } from './receipts.js';

/** The receipts of users. */
@Module({ imports: [StorageModule], providers: [Receipts], exports: [Receipts] })
export class ReceiptsModule {}
