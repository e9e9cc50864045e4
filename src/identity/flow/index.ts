/** OAuth authorizations from the link to their end; both roles use it. It uses only the store. */
export { FlowLedger, type LedgerEntry } from './flow-ledger.js';
export {
  digestOf,
  flowIdOf,
  hasEnded,
  type FlowEnd,
  type FlowRecord,
  type FlowState,
} from './flow-record.js';
export { FlowTickets, type FlowTicket } from './flow-tickets.js';
export { FlowModule } from './flow.module.js';
export { RevocationTickets } from './revocation-tickets.js';
export { SealedToken } from './sealed-token.js';
