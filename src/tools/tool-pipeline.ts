import { Injectable, Logger } from '@nestjs/common';
import type { z } from 'zod';
import { Audit } from '../audit/index.js';
import { untilAborted } from '../common/deadline/index.js';
import { describeIssues, errorFields, ERRORS } from '../common/errors/index.js';
import { ResourceTokens, type ResourceToken, type TokenAnswer } from '../identity/token-vault/index.js';
import { Accounts, type AccountCheck } from './accounts.js';
import type { ToolCallContext } from './agent-tool.decorator.js';
import type { KnownConnection } from './connections.js';
import { canonicalJson, digestOf } from './digest.js';
import { LastUses } from './last-uses.js';
import { Latch, type Admission } from './latch.js';
import type { Account } from './provider.js';
import { Receipts } from '../receipts/index.js';
import { isAllowed, Rules, withinOf } from './rules.js';
import { tokenRequest } from './token-request.js';
import type {
  ApprovalRequired,
  AuthorizationRequired,
  RegisteredTool,
  RunContext,
  ToolCall,
  ToolOutcome,
} from './tool-call.js';
import { TokenRefusedError, ToolError } from './tool.errors.js';

/** A write that ends so may have been done. */
const MAY_BE_DONE: ReadonlySet<string> = new Set(['tool_outcome_unknown', 'tool_output_invalid']);

/** One call of a tool on its way through the pipeline. */
interface Step {
  readonly tool: RegisteredTool;
  readonly call: ToolCall;
  readonly input: unknown;
  /** The digest of what the user has approved. */
  readonly approved: string | undefined;
  /** Why the user's own input was not taken. */
  readonly fault: string | undefined;
  /** Undefined before the first use. */
  readonly known: KnownConnection | undefined;
  /** The user has disconnected the provider. */
  readonly isClosed: boolean;
}

/** A call from its input to its result: validate, approve, fetch the token, compare the account, call, validate, audit. */
@Injectable()
export class ToolPipeline {
  readonly #logger = new Logger(ToolPipeline.name);
  readonly #resourceTokens: ResourceTokens;
  readonly #accounts: Accounts;
  readonly #latch: Latch;
  readonly #rules: Rules;
  readonly #lastUses: LastUses;
  readonly #receipts: Receipts;
  readonly #audit: Audit;

  constructor(
    resourceTokens: ResourceTokens,
    accounts: Accounts,
    latch: Latch,
    rules: Rules,
    lastUses: LastUses,
    receipts: Receipts,
    audit: Audit,
  ) {
    [this.#resourceTokens, this.#accounts, this.#latch] = [resourceTokens, accounts, latch];
    [this.#rules, this.#lastUses, this.#receipts, this.#audit] = [rules, lastUses, receipts, audit];
  }

  /** @throws ToolError | TokenRefusedError | AppError | whatever the tool throws */
  async run(tool: RegisteredTool, rawInput: unknown, call: ToolCall): Promise<ToolOutcome> {
    const read = readInput(tool, rawInput, call);
    const step: Step = { tool, call, ...read, ...(await this.#admission(tool, call)) };
    const approval = tool.options.effect === 'write' ? approvalBefore(step) : undefined;
    if (approval !== undefined) return approval;
    // Each round of this needs the user's own word, so it cannot go round by itself.
    const again = call.account === 'consent_again' || step.isClosed;
    const token = await this.#token(step, again);
    if (token.kind === 'authorization_required')
      return this.#authorizationRequired(step, token, again || call.reauthenticated);
    if (step.isClosed) throw new TokenRefusedError('disconnected');
    try {
      return await this.#withToken(step, token);
    } catch (error) {
      if (!(error instanceof TokenRefusedError) || call.reauthenticated) throw error;
      const fresh = await this.#token(step, true);
      if (fresh.kind === 'token') throw error;
      return { ...(await this.#authorizationRequired(step, fresh, true)), called: true };
    }
  }

  /** A tool that acts as itself uses no connection. */
  async #admission({ options }: RegisteredTool, { user, signal }: ToolCall): Promise<Admission> {
    if (options.access.flow === 'M2M') return { known: undefined, isClosed: false };
    return this.#latch.admit(user.sub, options.access.provider, options.access.scopes, signal);
  }

  async #authorizationRequired(
    { tool, call, known, isClosed }: Step,
    authorization: AuthorizationRequired['authorization'],
    reauthenticated: boolean,
  ): Promise<AuthorizationRequired> {
    const { options, offered } = tool;
    if (isClosed)
      await this.#latch.note(call.user.sub, offered.provider.id, authorization.sessionUri, call.signal);
    return {
      kind: 'authorization_required',
      tool: options.name,
      provider: offered.provider,
      scopes: options.access.scopes,
      authorization,
      account: known?.connection.account,
      reauthenticated,
      called: false,
    };
  }

  async #withToken(step: Step, token: TokenAnswer): Promise<ToolOutcome> {
    const { tool, call, input } = step;
    const { accessToken } = token;
    const { user, signal } = call;
    const check = await this.#check(step, accessToken);
    if (check?.kind === 'changed') {
      const { before, now } = check;
      const { provider } = tool.offered;
      return { kind: 'account_changed', tool: tool.options.name, provider, before, now };
    }
    const widerScopes = check?.identifiedNow === true ? this.#recordAccount(step, check.account) : [];
    const account = check?.account;
    const approval = approvalRequired(step, account, widerScopes);
    if (approval !== undefined) return approval;
    const { scopes } = tool.options.access;
    const context = { accessToken, user, scopes, signal };
    const provider = tool.offered.provider.id;
    this.#lastUses.note(user.sub, provider, {
      tool: tool.options.name,
      sessionId: call.sessionId,
      at: Date.now(),
    });
    if (tool.options.effect === 'read') {
      const data = checkedOutput(tool, await entered(tool, input, context), token);
      return { kind: 'result', provider, data, widerScopes };
    }
    return {
      kind: 'result',
      provider,
      widerScopes,
      ...(await this.#write(step, account, { context, token })),
    };
  }

  /** Makes a write that is approved or allowed, unless it was made before. */
  async #write(
    step: Step,
    account: Account | undefined,
    { context, token }: { readonly context: ToolCallContext; readonly token: TokenAnswer },
  ): Promise<Pick<Extract<ToolOutcome, { kind: 'result' }>, 'data' | 'wasDone' | 'edited'>> {
    const { tool, call, input, approved } = step;
    const digest = digestOf({ tool: tool.options.name, input, accountId: account?.id });
    if (call.allowsMore === true && approved === digest) await this.#allowMore(step, account);
    const told = { digest, account, byRule: approved !== digest };
    const before = await lookedUp(step, digest, context);
    if (before === undefined) await this.#begin(step, told);
    try {
      const data = checkedOutput(tool, before ?? (await entered(tool, input, context)), token);
      call.writes.settle(digest);
      this.#receipt(step, { ...told, outcome: 'done', data });
      const edited = call.edited?.tool === tool.options.name ? { edited: input } : {};
      return { data, ...(before !== undefined && { wasDone: true }), ...edited };
    } catch (error) {
      if (error instanceof ToolError && MAY_BE_DONE.has(error.code))
        this.#receipt(step, { ...told, outcome: 'unknown' });
      throw error;
    }
  }

  async #begin(
    { tool, call }: Step,
    { digest, byRule }: { readonly digest: string; readonly byRule: boolean },
  ): Promise<void> {
    await call.writes.begin(digest);
    this.#audit.record('write_begun', {
      ...auditOf(call, tool.options.name),
      provider: tool.offered.provider.id,
      digest,
      byRule,
      edited: call.edited?.tool === tool.options.name,
    });
  }

  /** The approved call itself is made also where the rule cannot be kept. */
  async #allowMore({ tool, call, input }: Step, account: Account | undefined): Promise<void> {
    const { user, sessionId, runId } = call;
    const { since } = call;
    const ruled = { options: tool.options, input, sessionId, since, accountId: account?.id };
    await this.#rules.add({ sub: user.sub, runId }, ruled).catch((error: unknown) => {
      this.#logger.error({ event: 'rule_not_kept', tool: tool.options.name, ...errorFields(error) });
    });
  }

  #receipt(
    { tool, call }: Step,
    {
      account,
      data,
      ...told
    }: {
      readonly digest: string;
      readonly account: Account | undefined;
      readonly byRule: boolean;
      readonly outcome: 'done' | 'unknown';
      readonly data?: unknown;
    },
  ): void {
    const url = urlIn(data);
    const { sessionId, runId } = call;
    void this.#receipts.write(call.user.sub, {
      kind: 'wrote',
      provider: tool.offered.provider.id,
      ...(account !== undefined && { account: account.login }),
      sessionId,
      runId,
      tool: tool.options.name,
      ...told,
      ...(url !== undefined && { url }),
    });
  }

  async #check({ tool, call, known }: Step, accessToken: string): Promise<AccountCheck | undefined> {
    const { provider, identify } = tool.offered;
    if (identify === undefined) return undefined;
    const token = { sub: call.user.sub, accessToken, signal: call.signal, known };
    const accepted = typeof call.account === 'object' ? call.account.switchTo : undefined;
    // A provider's own code may not heed the signal.
    return untilAborted(call.signal, () =>
      this.#accounts.check({ provider: provider.id, identify }, token, accepted),
    );
  }

  #recordAccount({ tool, call }: Step, { id, scopes = [] }: Account): readonly string[] {
    const { options, offered } = tool;
    const { provider } = offered;
    const widerScopes = scopes.filter((scope) => provider.scopes[scope] === undefined);
    this.#audit.record('account_identified', {
      ...auditOf(call, options.name),
      provider: provider.id,
      accountId: id,
      scopes: [...scopes],
      widerScopes,
    });
    return widerScopes;
  }

  async #token({ tool, call }: Step, forceAuthentication: boolean): Promise<ResourceToken> {
    const { options, offered } = tool;
    const token = await this.#resourceTokens.get(call.user, {
      ...tokenRequest(offered, options.access),
      forceAuthentication,
      signal: call.signal,
    });
    if (token.kind === 'token') {
      const { awsRequestId } = token;
      const scopes = [...options.access.scopes];
      const what = { provider: offered.provider.id, scopes, awsRequestId };
      this.#audit.record('token_fetched', { ...auditOf(call, options.name), ...what });
    }
    return token;
  }
}

export function auditOf(
  { user, sessionId, runId }: RunContext,
  tool: string,
): { user: string; sessionId: string; runId: string; tool: string } {
  return { user: user.sub, sessionId, runId, tool };
}

/**
 * Runs a tool, which may not heed the signal. A write that was begun and has no known answer may have been done. Where the
 * tool itself says how it ended, that holds.
 */
async function entered(tool: RegisteredTool, input: unknown, context: ToolCallContext): Promise<unknown> {
  context.signal.throwIfAborted();
  try {
    return await untilAborted(context.signal, () => tool.run(input, context));
  } catch (error) {
    const isTold = error instanceof ToolError || error instanceof TokenRefusedError;
    if (tool.options.effect === 'read' || (isTold && !context.signal.aborted)) throw error;
    throw new ToolError('tool_outcome_unknown', ERRORS.tool_outcome_unknown.detail, { cause: error });
  }
}

/** The answer of the same write, where it was done before and only its outcome was not known. */
async function lookedUp(
  { tool, call, input }: Step,
  digest: string,
  context: ToolCallContext,
): Promise<unknown> {
  const since = call.writes.doubtedSince(digest);
  if (since === undefined || tool.verify === undefined) return undefined;
  const { verify } = tool;
  return untilAborted(context.signal, () => verify(input, context, new Date(since)));
}

/** The approval before any token is fetched. Where the account is not known yet, the consent comes first. */
function approvalBefore(step: Step): ApprovalRequired | undefined {
  if (step.isClosed) return undefined;
  const recorded = step.known?.connection.account;
  if (step.tool.offered.identify !== undefined && recorded === undefined) return undefined;
  return approvalRequired(step, recorded, []);
}

/** The approval that a write needs; undefined for a read, and where the user has approved this very call, or allowed it. */
function approvalRequired(
  { tool, call, input, approved, fault, known }: Step,
  account: Account | undefined,
  widerScopes: readonly string[],
): ApprovalRequired | undefined {
  const { options, offered } = tool;
  const { name, effect } = options;
  if (effect === 'read') return undefined;
  const digest = digestOf({ tool: name, input, accountId: account?.id });
  if (approved === digest) return undefined;
  const ruled = { options, input, sessionId: call.sessionId, since: call.since, accountId: account?.id };
  if (fault === undefined && isAllowed(ruled, known?.connection ?? {})) return undefined;
  const inputBytes = Buffer.byteLength(canonicalJson(input));
  return {
    kind: 'approval_required',
    tool: name,
    provider: offered.provider.id,
    input,
    inputBytes,
    digest,
    account,
    within: withinOf({ options, input }),
    widerScopes,
    ...(fault !== undefined && { fault }),
  };
}

/** The input that counts: the user's own, where the user has given one that fits. @throws ToolError */
function readInput(
  { options }: RegisteredTool,
  rawInput: unknown,
  { approved, edited }: ToolCall,
): Pick<Step, 'input' | 'approved' | 'fault'> {
  let fault: string | undefined;
  if (edited?.tool === options.name) {
    const own = options.input.safeParse(edited.input);
    const { accountId, isApproved } = edited;
    if (own.success) {
      const digest = digestOf({ tool: options.name, input: own.data, accountId });
      return { input: own.data, approved: isApproved ? digest : undefined, fault: undefined };
    }
    fault = inputFaults(own.error);
  }
  const parsed = options.input.safeParse(rawInput);
  if (!parsed.success) throw new ToolError('tool_input_invalid', inputFaults(parsed.error));
  return { input: parsed.data, approved: fault === undefined ? approved : undefined, fault };
}

/** Where the provider shows what was made, if its tool tells that. */
function urlIn(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('url' in data)) return undefined;
  const { url } = data;
  return typeof url === 'string' && /^https?:\/\//.test(url) && URL.canParse(url) ? url : undefined;
}

/** Which arguments are wrong, without repeating what was in them. */
function inputFaults(error: z.ZodError): string {
  return `The arguments do not fit: ${describeIssues(error.issues, 'input')}.`;
}

function checkedOutput(
  { options, offered: { provider } }: RegisteredTool,
  output: unknown,
  { accessToken }: TokenAnswer,
): unknown {
  const checked = options.output.safeParse(output);
  // A provider that repeats the token, in an echo of the request say, must not give it to the model.
  if (checked.success && JSON.stringify(checked.data ?? null).includes(accessToken))
    throw new ToolError('tool_output_invalid', `${provider.label} answered with what must not be shown.`);
  if (checked.success) return checked.data;
  throw new ToolError('tool_output_invalid', `${provider.label} answered in a form that is not understood.`, {
    cause: checked.error,
  });
}
