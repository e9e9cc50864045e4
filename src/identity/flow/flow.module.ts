import { Module } from '@nestjs/common';
import { StorageModule } from '../../storage/index.js';
import { FlowLedger } from './flow-ledger.js';
import { FlowTickets } from './flow-tickets.js';
import { RevocationTickets } from './revocation-tickets.js';

/** OAuth authorizations from the link to their end: tickets, and the ledger with the state of each flow. */
@Module({
  imports: [StorageModule],
  providers: [FlowTickets, FlowLedger, RevocationTickets],
  exports: [FlowTickets, FlowLedger, RevocationTickets],
})
export class FlowModule {}
