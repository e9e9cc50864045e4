import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { Receipts } from '../receipts/index.js';
import type { AgentToolOptions } from './agent-tool.decorator.js';
import { Connections, type Connection, type Rule } from './connections.js';

/** A call that a rule may allow. */
export interface RuledCall {
  readonly options: AgentToolOptions;
  readonly input: unknown;
  readonly sessionId: string;
  readonly accountId: string | undefined;
  /** When the conversation began: Unix milliseconds. */
  readonly since?: number | undefined;
}

/** The user of a rule, and the run in which it was made. */
interface RuleOwner {
  readonly sub: string;
  readonly runId: string;
}

/** A forgotten rule does not hold for ever. */
const LIFETIME_MS = 24 * 60 * 60_000;
const MAXIMUM_RULES = 50;
const ID_BYTES = 9;

/**
 * The inputs that a rule for a call would require; undefined where the tool permits no rules, or the call has not all of
 * these inputs as texts.
 */
export function withinOf({
  options: { allowable },
  input,
}: Pick<RuledCall, 'options' | 'input'>): Readonly<Record<string, string>> | undefined {
  if (allowable === undefined) return undefined;
  const given = allowable.map((name): [string, unknown] => [name, Reflect.get(input as object, name)]);
  return given.every((each): each is [string, string] => typeof each[1] === 'string')
    ? Object.fromEntries(given)
    : undefined;
}

/** Whether the user has allowed a call by a rule. */
export function isAllowed(call: RuledCall, { rules = [] }: Pick<Connection, 'rules'>): boolean {
  const within = withinOf(call);
  if (within === undefined) return false;
  return rules.some(
    (rule) =>
      rule.tool === call.options.name &&
      rule.sessionId === call.sessionId &&
      rule.accountId === call.accountId &&
      rule.expiresAt > Date.now() &&
      rule.allowedAt >= (call.since ?? 0) &&
      Object.keys(rule.within).length === Object.keys(within).length &&
      Object.entries(rule.within).every(([name, value]) => within[name] === value),
  );
}

/** What users allow without a new approval: a tool, in one conversation, with some of its inputs fixed, for a day. */
@Injectable()
export class Rules {
  readonly #connections: Connections;
  readonly #receipts: Receipts;
  readonly #audit: Audit;

  constructor(connections: Connections, receipts: Receipts, audit: Audit) {
    [this.#connections, this.#receipts, this.#audit] = [connections, receipts, audit];
  }

  /** Adds the rule that allows calls like one that the user has approved. @throws AppError */
  async add({ sub, runId }: RuleOwner, call: RuledCall): Promise<void> {
    const within = withinOf(call);
    if (within === undefined) return;
    const { options, sessionId, accountId } = call;
    const { name: tool, access } = options;
    const now = Date.now();
    const rule: Rule = {
      id: randomBytes(ID_BYTES).toString('base64url'),
      tool,
      sessionId,
      ...(accountId !== undefined && { accountId }),
      within: { ...within },
      allowedAt: now,
      expiresAt: now + LIFETIME_MS,
    };
    const { provider } = access;
    const { connection } = await this.#connections.change(sub, provider, (before) =>
      before.account?.id === accountId && !isAllowed(call, before)
        ? { ...before, rules: [...current(before), rule].slice(-MAXIMUM_RULES) }
        : undefined,
    );
    if (connection.rules?.includes(rule) !== true) return;
    this.#audit.record('rule_added', {
      user: sub,
      sessionId,
      runId,
      tool,
      provider,
      inputs: Object.keys(within),
    });
    void this.#receipts.write(sub, { kind: 'rule_added', provider, sessionId, runId, tool, within });
  }

  /** @returns whether there was such a rule. @throws AppError */
  async withdraw(sub: string, provider: string, id: string): Promise<boolean> {
    let found: Rule | undefined;
    await this.#connections.change(sub, provider, (before) => {
      found = current(before).find((rule) => rule.id === id);
      return found && { ...before, rules: current(before).filter((rule) => rule.id !== id) };
    });
    if (found === undefined) return false;
    const { tool, sessionId } = found;
    this.#audit.record('rule_withdrawn', { user: sub, sessionId, tool, provider });
    void this.#receipts.write(sub, { kind: 'rule_withdrawn', provider, sessionId, tool });
    return true;
  }
}

/** The rules that still hold. */
export function current({ rules = [] }: Pick<Connection, 'rules'>): readonly Rule[] {
  return rules.filter(({ expiresAt }) => expiresAt > Date.now());
}
