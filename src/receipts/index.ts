/** What was done in a user's name. Both roles write receipts. */
export type { Receipt } from './receipt.js';
export { ReceiptsModule } from './receipts.module.js';
export { Receipts } from './receipts.js';
