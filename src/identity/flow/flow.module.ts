import { Module } from '@nestjs/common';
import { StorageModule } from '../../storage/index.js';
import { FlowLedger } from './flow-ledger.js';
import { FlowTickets } from './flow-tickets.js';

/** OAuth authorizations from the link to their end: tickets, and the ledger with the state of each flow. */
@Module({
  imports: [StorageModule],
  providers: [FlowTickets, FlowLedger],
  exports: [FlowTickets, FlowLedger],
})
export class FlowModule {}
