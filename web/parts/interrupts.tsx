import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { serverNow } from '../net/clock.ts';
import { ownLink } from '../lib/own-link.ts';
import { textOf, type Names } from '../state/names.ts';
import { texts } from '../texts.ts';
import { ApprovalCard } from './approval-card.tsx';
import { CardFrame, Decide, Decline, type CardProps } from './card.tsx';

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
