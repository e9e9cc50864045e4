import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { Audit } from '../audit/index.js';
import { untilAborted } from '../common/deadline/index.js';
import { describeIssues, ERRORS } from '../common/errors/index.js';
import { ResourceTokens, type ResourceToken, type TokenAnswer } from '../identity/token-vault/index.js';
import { Accounts, type AccountCheck } from './accounts.js';
import type { ToolCallContext } from './agent-tool.decorator.js';
import { canonicalJson, digestOf } from './digest.js';
import type { Account } from './provider.js';
import type {
  ApprovalRequired,
  AuthorizationRequired,
  RegisteredTool,
  RunContext,
  ToolCall,
  ToolOutcome,
} from './tool-call.js';
import { TokenRefusedError, ToolError } from './tool.errors.js';

/** One call of a tool on its way through the pipeline. */
interface Step {
  readonly tool: RegisteredTool;
  readonly call: ToolCall;
  readonly input: unknown;
}

/** A call from its input to its result: validate, approve, fetch the token, compare the account, call, validate, audit. */
@Injectable()
export class ToolPipeline {
  readonly #resourceTokens: ResourceTokens;
  readonly #accounts: Accounts;
  readonly #audit: Audit;

  constructor(resourceTokens: ResourceTokens, accounts: Accounts, audit: Audit) {
    this.#resourceTokens = resourceTokens;
    this.#accounts = accounts;
    this.#audit = audit;
  }

  /** @throws ToolError | TokenRefusedError | AppError | whatever the tool throws */
  async run(tool: RegisteredTool, rawInput: unknown, call: ToolCall): Promise<ToolOutcome> {
    const parsed = tool.options.input.safeParse(rawInput);
    if (!parsed.success) throw new ToolError('tool_input_invalid', inputFaults(parsed.error));
    const step: Step = { tool, call, input: parsed.data };
    const approval = tool.options.effect === 'write' ? await this.#approvalBefore(step) : undefined;
    if (approval !== undefined) return approval;
    // Each round of this needs the user's own word, so it cannot go round by itself.
    const again = call.account === 'consent_again';
    const token = await this.#token(step, again);
    if (token.kind === 'authorization_required')
      return this.#authorizationRequired(step, token, again || call.reauthenticated);
    try {
      return await this.#withToken(step, token);
    } catch (error) {
      if (!(error instanceof TokenRefusedError) || call.reauthenticated) throw error;
      const fresh = await this.#token(step, true);
      if (fresh.kind === 'token') throw error;
      return { ...(await this.#authorizationRequired(step, fresh, true)), called: true };
    }
  }

  /** Before any token is fetched. Where the account is not known yet, the consent comes first. */
  async #approvalBefore(step: Step): Promise<ApprovalRequired | undefined> {
    const recorded = await this.#recorded(step);
    if (step.tool.offered.identify !== undefined && recorded === undefined) return undefined;
    return approvalRequired(step, recorded, []);
  }

  /** The account that is recorded for the user; undefined before the first use, and where the provider names none. */
  async #recorded({ tool, call }: Step): Promise<Account | undefined> {
    const { provider, identify } = tool.offered;
    return identify === undefined
      ? undefined
      : this.#accounts.recorded(call.user.sub, provider.id, call.signal);
  }

  async #authorizationRequired(
    step: Step,
    authorization: AuthorizationRequired['authorization'],
    reauthenticated: boolean,
  ): Promise<AuthorizationRequired> {
    const { options, offered } = step.tool;
    return {
      kind: 'authorization_required',
      tool: options.name,
      provider: offered.provider,
      scopes: options.access.scopes,
      authorization,
      account: await this.#recorded(step),
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
    const approval = approvalRequired(step, check?.account, widerScopes);
    if (approval !== undefined) return approval;
    const { scopes } = tool.options.access;
    const context = { accessToken, user, scopes, signal };
    const provider = tool.offered.provider.id;
    if (tool.options.effect === 'read') {
      const data = checkedOutput(tool, await entered(tool, input, context), token);
      return { kind: 'result', provider, data, widerScopes };
    }
    const digest = digestOf({ tool: tool.options.name, input, accountId: check?.account.id });
    const before = await lookedUp(step, digest, context);
    if (before === undefined) await call.writes.begin(digest);
    const data = checkedOutput(tool, before ?? (await entered(tool, input, context)), token);
    call.writes.settle(digest);
    return { kind: 'result', provider, data, widerScopes, ...(before !== undefined && { wasDone: true }) };
  }

  async #check({ tool, call }: Step, accessToken: string): Promise<AccountCheck | undefined> {
    const { provider, identify } = tool.offered;
    if (identify === undefined) return undefined;
    const token = { sub: call.user.sub, accessToken, signal: call.signal };
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
    const { provider, config } = offered;
    const { scopes, flow } = options.access;
    const token = await this.#resourceTokens.get(call.user, {
      provider: config.credentialProvider,
      scopes,
      forceAuthentication,
      signal: call.signal,
      ...(flow !== undefined && { flow }),
      ...(provider.authorizationParameters !== undefined && {
        customParameters: provider.authorizationParameters,
      }),
    });
    if (token.kind === 'token') {
      const { awsRequestId } = token;
      const what = { provider: provider.id, scopes: [...scopes], awsRequestId };
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

/** The approval that a write needs; undefined for a read, and where the user has approved this very call. */
function approvalRequired(
  { tool, call, input }: Step,
  account: Account | undefined,
  widerScopes: readonly string[],
): ApprovalRequired | undefined {
  const { name, effect } = tool.options;
  const { id: provider } = tool.offered.provider;
  if (effect === 'read') return undefined;
  const digest = digestOf({ tool: name, input, accountId: account?.id });
  if (call.approved === digest) return undefined;
  const inputBytes = Buffer.byteLength(canonicalJson(input));
  return { kind: 'approval_required', tool: name, provider, input, inputBytes, digest, account, widerScopes };
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
