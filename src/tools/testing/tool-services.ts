import type { Audit } from '../../audit/index.js';
import { FlowLedger } from '../../identity/flow/index.js';
import type { ResourceTokens } from '../../identity/token-vault/index.js';
import { Receipts } from '../../receipts/index.js';
import { MemoryStore } from '../../storage/testing/memory-store.js';
import { Accounts } from '../accounts.js';
import { Connections } from '../connections.js';
import { LastUses } from '../last-uses.js';
import { Latch } from '../latch.js';
import { Rules } from '../rules.js';
import { ToolPipeline } from '../tool-pipeline.js';

/** What calls of tools need, over a store in memory. */
export interface ToolServices {
  readonly store: MemoryStore;
  readonly connections: Connections;
  readonly ledger: FlowLedger;
  readonly latch: Latch;
  readonly rules: Rules;
  readonly lastUses: LastUses;
  readonly receipts: Receipts;
  readonly pipeline: ToolPipeline;
}

export function toolServices(
  tokens: Pick<ResourceTokens, 'get'>,
  audit: Audit,
  store = new MemoryStore(),
): ToolServices {
  const connections = new Connections(store);
  const ledger = new FlowLedger(store);
  const latch = new Latch(connections, ledger);
  const receipts = new Receipts(store);
  const rules = new Rules(connections, receipts, audit);
  const lastUses = new LastUses(store);
  const pipeline = new ToolPipeline(
    tokens as ResourceTokens,
    new Accounts(connections),
    latch,
    rules,
    lastUses,
    receipts,
    audit,
  );
  return { store, connections, ledger, latch, rules, lastUses, receipts, pipeline };
}
