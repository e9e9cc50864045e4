import { useComputed, useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { serverNow } from '../net/clock.ts';
import { ownLink } from '../lib/own-link.ts';
import type { Chat } from '../state/chat.ts';
import type { Answer, Interrupt } from '../state/chat-types.ts';
import { textOf, type Names } from '../state/names.ts';
import { texts } from '../texts.ts';

/** A card that appears under the pointer must not be clicked by accident. */
const ARMED_AFTER_MS = 500;
const MINUTE_MS = 60_000;

/** What the run waits for: a card for each. */
export function Interrupts({ chat, names }: Omit<CardProps, 'interrupt'>): JSX.Element | null {
  const waiting = chat.interrupts.value;
  if (waiting.length === 0) return null;
  return (
    <div class="cards">
      {waiting.map((interrupt) => (
        <Card key={interrupt.id} {...{ chat, names, interrupt }} />
      ))}
    </div>
  );
}

interface CardProps {
  readonly chat: Chat;
  readonly names: Names;
  readonly interrupt: Interrupt;
}

function Card(props: CardProps): JSX.Element {
  switch (props.interrupt.reason) {
    case 'authorization_required':
      return <ConsentCard {...props} />;
    case 'account_changed':
      return <AccountCard {...props} />;
    default:
      return <ApprovalCard {...props} />;
  }
}

/** The link is taken from the event alone, and only where it is ours. After a reload there is none any more. */
function ConsentCard(props: CardProps): JSX.Element {
  const { chat, names, interrupt } = props;
  const { metadata, expiresAt } = interrupt;
  const provider = names.provider(metadata.provider);
  const left = useTimeLeft(expiresAt);
  const link = ownLink(metadata.connectUrl, location.origin);
  const isDenied = chat.denied.value.has(interrupt.id);
  const isUsable = link !== undefined && left > 0 && !isDenied;
  const told = isDenied
    ? texts.consent.denied
    : link === undefined
      ? texts.consent.left
      : texts.consent.expired;
  return (
    <CardFrame title={texts.consent.title(provider)} {...props}>
      <p>{texts.consent.intro(textOf(metadata.title), provider, names.account(metadata.provider))}</p>
      <Scopes names={names} provider={metadata.provider} scopes={scopesOf(metadata.scopes)} />
      {isUsable ? (
        <p class="soft">
          {texts.consent.goesOn} {texts.consent.expires(clock(left))}
        </p>
      ) : (
        <p role="status">{told}</p>
      )}
      <div class="actions">
        {isUsable ? (
          <a class="button" href={link} target="_blank" rel="noopener">
            {texts.consent.open(provider)} <span class="unseen">({texts.consent.opensTab})</span>
          </a>
        ) : (
          <Decide {...props} answer={{ status: 'resolved' }}>
            {link === undefined && !isDenied ? texts.consent.goOn : texts.consent.newLink}
          </Decide>
        )}
        <Decline {...props}>{texts.consent.decline}</Decline>
      </div>
    </CardFrame>
  );
}

interface ScopesProps {
  readonly names: Names;
  readonly provider: unknown;
  readonly scopes: readonly string[];
}

function Scopes({ names, provider, scopes }: ScopesProps): JSX.Element {
  return (
    <ul>
      {scopes.map((scope) => {
        const { allows, why } = names.scope(provider, scope);
        return (
          <li key={scope}>
            {allows}
            {names.has(provider, scope) && <span class="soft"> · {texts.consent.there}</span>}
            {why !== undefined && <p class="soft">{why}</p>}
          </li>
        );
      })}
    </ul>
  );
}

function ApprovalCard(props: CardProps): JSX.Element {
  const { metadata } = props.interrupt;
  const account = metadata.account;
  return (
    <CardFrame title={textOf(metadata.title)} {...props}>
      <p>{typeof account === 'string' ? texts.approval.as(account) : texts.approval.title}</p>
      <dl class="sent">
        {Object.entries((metadata.input ?? {}) as Record<string, unknown>).map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
      <div class="actions">
        <Decide {...props} answer={{ status: 'resolved', payload: { approved: true } }}>
          {texts.approval.approve}
        </Decide>
        <Decline {...props}>{texts.approval.decline}</Decline>
      </div>
    </CardFrame>
  );
}

function AccountCard(props: CardProps): JSX.Element {
  const { provider, before, now } = props.interrupt.metadata;
  const [from, to] = [textOf(before), textOf(now)];
  return (
    <CardFrame title={texts.account.title} {...props}>
      <p>{texts.account.text(props.names.provider(provider), from, to)}</p>
      <div class="actions">
        <Decide {...props} answer={{ status: 'resolved', payload: { switch: true } }}>
          {texts.account.switch(to)}
        </Decide>
        <Decide {...props} isPlain answer={{ status: 'resolved', payload: { switch: false } }}>
          {texts.account.back(from)}
        </Decide>
        <Decline {...props}>{texts.account.decline}</Decline>
      </div>
    </CardFrame>
  );
}

interface FrameProps extends CardProps {
  readonly title: string;
  readonly children: ComponentChildren;
}

/** Where several wait, an answered card says so until the others are answered as well. */
function CardFrame({ title, children, chat, interrupt }: FrameProps): JSX.Element {
  const answer = chat.answers.value.get(interrupt.id);
  const id = `card-${interrupt.id}`;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // A user who is writing keeps the focus. Of several cards, the first one gets it.
    const { activeElement } = document;
    const isWriting =
      activeElement instanceof HTMLInputElement ||
      (activeElement instanceof HTMLTextAreaElement && activeElement.value !== '');
    const isFirst = chat.interrupts.peek()[0]?.id === interrupt.id;
    if (!isWriting && isFirst) heading.current?.focus();
  }, []);
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id} tabIndex={-1} ref={heading}>
        {title}
      </h2>
      {answer === undefined ? children : <p role="status">{texts.approval.answered}</p>}
    </section>
  );
}

interface DecideProps extends CardProps {
  readonly answer: Answer;
  readonly isPlain?: boolean;
  readonly children: ComponentChildren;
}

/** A button that cannot be pressed in the moment in which it appears. */
function Decide({ chat, interrupt, answer, isPlain = false, children }: DecideProps): JSX.Element {
  const isArmed = useArmed();
  return (
    <button
      type="button"
      class={isPlain ? 'plain' : ''}
      aria-disabled={!isArmed.value}
      onClick={() => {
        if (!isArmed.value) return;
        chat.answer(interrupt.id, answer);
        document.querySelector<HTMLElement>('#message')?.focus();
      }}
    >
      {children}
    </button>
  );
}

/** Only when the window has been in front for a moment: another site can cover it, and ask for a double click. */
function useArmed(): Signal<boolean> {
  const isArmed = useSignal(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const arm = (): void => {
      disarm();
      timer = setTimeout(() => {
        isArmed.value = true;
      }, ARMED_AFTER_MS);
    };
    const disarm = (): void => {
      clearTimeout(timer);
      isArmed.value = false;
    };
    arm();
    addEventListener('focus', arm);
    addEventListener('blur', disarm);
    return () => {
      clearTimeout(timer);
      removeEventListener('focus', arm);
      removeEventListener('blur', disarm);
    };
  }, []);
  return isArmed;
}

function Decline(props: Omit<DecideProps, 'answer'>): JSX.Element {
  return <Decide {...props} isPlain answer={{ status: 'cancelled' }} />;
}

function useTimeLeft(expiresAt: string | undefined): number {
  const now = useSignal(serverNow());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = serverNow();
    }, 1_000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  const left = useComputed(() => (expiresAt === undefined ? 0 : Date.parse(expiresAt) - now.value));
  return left.value;
}

function clock(ms: number): string {
  const seconds = Math.floor((ms % MINUTE_MS) / 1_000);
  return `${String(Math.floor(ms / MINUTE_MS))}:${String(seconds).padStart(2, '0')}`;
}

function scopesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}
