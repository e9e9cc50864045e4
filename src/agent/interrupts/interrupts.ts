import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Audit } from '../../audit/index.js';
import { AppError } from '../../common/errors/index.js';
import { FlowLedger, FlowTickets, type FlowTicket } from '../../identity/flow/index.js';
import { json, type PendingRun, type StoredInterrupt } from '../../sessions/index.js';
import { scopeInWords, ToolRegistry, type RunContext } from '../../tools/index.js';
import { recordAnswer, recordAsked } from './interrupt-audit.js';
import type {
  AnsweredInterrupt,
  InterruptAnswer,
  PresentedInterrupt,
  RaisedInterrupt,
  WaitingOutcome,
} from './interrupt.js';

/** The names of a raised interrupt. */
export interface InterruptPlace {
  /** Its number in the conversation, from 1. */
  readonly number: number;
  /** Its id in the agent loop. */
  readonly loopId: string;
}

type Outcome<Kind extends WaitingOutcome['kind']> = Extract<WaitingOutcome, { readonly kind: Kind }>;
type CommonMembers = Pick<
  StoredInterrupt,
  'id' | 'toolCallId' | 'tool' | 'title' | 'pauses' | 'reauthenticated' | 'loopId'
>;

type Kept = Pick<Extract<StoredInterrupt, { kind: 'account_changed' }>, 'approved' | 'edited' | 'allowsMore'>;

/** Presents the interrupts of a run to its user, and matches the user's answers to them. */
@Injectable()
export class Interrupts {
  readonly #registry: ToolRegistry;
  readonly #tickets: FlowTickets;
  readonly #ledger: FlowLedger;
  readonly #audit: Audit;

  constructor(registry: ToolRegistry, tickets: FlowTickets, ledger: FlowLedger, audit: Audit) {
    this.#registry = registry;
    this.#tickets = tickets;
    this.#ledger = ledger;
    this.#audit = audit;
  }

  /** @throws AppError `flows_unavailable` */
  async present(
    context: RunContext,
    raised: RaisedInterrupt,
    place: InterruptPlace,
    signal?: AbortSignal,
  ): Promise<PresentedInterrupt> {
    const presented = await this.#presented(context, raised, place, signal);
    recordAsked(this.#audit, context, presented.stored.id, raised.outcome);
    return presented;
  }

  /** Each answer with its interrupt. @throws AppError `interrupt_not_pending` */
  match(
    context: RunContext,
    { interrupts }: PendingRun,
    answers: readonly InterruptAnswer[],
  ): readonly AnsweredInterrupt[] {
    const answered = answers.map((answer) => {
      const stored = interrupts.find(({ id }) => id === answer.interruptId);
      if (stored === undefined) throw new AppError('interrupt_not_pending');
      return { stored, answer };
    });
    for (const each of answered) recordAnswer(this.#audit, context, each);
    return answered;
  }

  async #presented(
    context: RunContext,
    raised: RaisedInterrupt,
    place: InterruptPlace,
    signal?: AbortSignal,
  ): Promise<PresentedInterrupt> {
    const { outcome } = raised;
    const title = this.#registry.title(outcome.tool);
    const common = commonOf(raised, place, title);
    const kept = keptOf(raised);
    switch (outcome.kind) {
      case 'approval_required':
        return approval({ ...common, id: unguessableId(place.number), ...editedOf(raised) }, outcome);
      case 'account_changed':
        return accountChange({ ...common, id: unguessableId(place.number), ...kept }, outcome);
      case 'authorization_required':
        return this.#consent(context, { ...common, id: numberedId(place.number), ...kept }, outcome, signal);
    }
  }

  async #consent(
    context: RunContext,
    common: CommonMembers & Kept,
    outcome: Outcome<'authorization_required'>,
    signal?: AbortSignal,
  ): Promise<PresentedInterrupt> {
    const { kind, provider, scopes, authorization } = outcome;
    const stored: StoredInterrupt = { ...common, kind, provider: provider.id, scopes: [...scopes] };
    const ticket = ticketFor(context, stored, outcome);
    await this.#ledger.ask(ticket, signal);
    const url = await this.#tickets.connectUrl(ticket);
    return {
      stored,
      message: `${provider.label} needs your authorization: ${stored.title}. Open connectUrl in this browser, then resume.`,
      link: { url, expiresAt: authorization.expiresAt },
    };
  }
}

function commonOf(
  { toolCallId, outcome, pauses, reauthenticated }: RaisedInterrupt,
  { loopId }: InterruptPlace,
  title: string,
): Omit<CommonMembers, 'id'> {
  return { toolCallId, tool: outcome.tool, title, pauses, reauthenticated, loopId };
}

/** What the user has said of a call that has not been made yet. */
function keptOf(raised: RaisedInterrupt): Kept {
  return {
    ...(raised.approved !== undefined && { approved: raised.approved }),
    ...editedOf(raised),
    ...(raised.allowsMore === true && { allowsMore: true }),
  };
}

function editedOf({ edited }: RaisedInterrupt): Pick<Kept, 'edited'> {
  if (edited === undefined) return {};
  const { input, accountId, isApproved } = edited;
  return {
    edited: {
      input: json.parse(input),
      ...(accountId !== undefined && { accountId }),
      ...(isApproved && { approved: true }),
    },
  };
}

function approval(
  common: CommonMembers & Pick<Kept, 'edited'>,
  { kind, input, digest, inputBytes, account, within, fault }: Outcome<'approval_required'>,
): PresentedInterrupt {
  const stored: StoredInterrupt = {
    ...common,
    kind,
    input: json.parse(input),
    digest,
    inputBytes,
    ...(account !== undefined && { account: account.login, accountId: account.id }),
    ...(within !== undefined && { within: { ...within } }),
    ...(fault !== undefined && { fault }),
  };
  const changed = fault === undefined ? '' : `Your change was not taken. ${fault} `;
  return { stored, message: `${changed}Your approval is needed: ${common.title}.`, decidedBy: 'approved' };
}

function accountChange(
  common: CommonMembers & Kept,
  { kind, provider, before, now: { id, login } }: Outcome<'account_changed'>,
): PresentedInterrupt {
  const accounts = { before: before.login, now: { id, login } };
  const stored: StoredInterrupt = { ...common, kind, provider: provider.id, ...accounts };
  const message = `${provider.label} knows you as ${login} now, and it was ${before.login} before. Go on as ${login}? If not, you are asked to authorize as ${before.login} again.`;
  return { stored, message, decidedBy: 'switch' };
}

/** Numbered, so that the examples of the specification run as they stand. */
function numberedId(number: number): string {
  return `interrupt-${String(number)}`;
}

/** An approval must be the answer to what this very user was shown, also where the conversation's id was used before. */
function unguessableId(number: number): string {
  return `${numberedId(number)}-${randomBytes(6).toString('hex')}`;
}

function ticketFor(
  { user, sessionId, runId }: RunContext,
  { id: interruptId, tool, title }: StoredInterrupt,
  { provider, scopes, account, authorization }: Outcome<'authorization_required'>,
): FlowTicket {
  const { authorizationUrl, sessionUri, customState, expiresAt } = authorization;
  return {
    sub: user.sub,
    display: {
      provider: provider.label,
      ...(account !== undefined && { account: account.login }),
      scopes: scopes.map((scope) => scopeInWords(provider.scopes[scope] ?? scope)),
      tool: title,
    },
    authorizationUrl,
    sessionUri,
    customState,
    consent: { sessionId, runId, interruptId, tool, provider: provider.id, scopes: [...scopes] },
    expiresAt,
  };
}
