import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { App } from '../state/app.ts';
import { texts } from '../texts.ts';
import { Announcer } from './announcer.tsx';
import { Composer } from './composer.tsx';
import { ConversationList } from './conversation-list.tsx';
import { CopyButton } from './copy-button.tsx';
import { Interrupts } from './interrupts.tsx';
import { Items } from './items.tsx';
import { lazy } from './lazy.tsx';

const NEAR_THE_END = 80;

const Keys = lazy(async () => (await import('./keys.tsx')).Keys);
const Connections = lazy(async () => (await import('./connections.tsx')).Connections);

/** The chat page. */
export function Page({ app }: { readonly app: App }): JSX.Element {
  return (
    <>
      <header>
        <button
          type="button"
          class="menu quiet"
          aria-expanded={app.isListOpen.value}
          aria-label={app.isListOpen.value ? texts.hideConversations : texts.showConversations}
          onClick={() => {
            app.isListOpen.value = !app.isListOpen.value;
          }}
        >
          ☰
        </button>
        <h1>
          <img src="/assets/logo.svg" alt="" width="22" height="22" /> {texts.product}
        </h1>
      </header>
      <ConversationList app={app} />
      {app.areConnectionsShown.value ? <ConnectionsView app={app} /> : <Conversation app={app} />}
      {app.areKeysShown.value && <Keys app={app} />}
    </>
  );
}

function ConnectionsView({ app }: { readonly app: App }): JSX.Element {
  useEffect(() => {
    document.title = `${texts.connections.title} · ${texts.product}`;
  }, []);
  return (
    <main inert={app.isListOpen.value && isNarrow()}>
      <BannerLine app={app} />
      <Connections app={app} />
    </main>
  );
}

function Conversation({ app }: { readonly app: App }): JSX.Element {
  const chat = app.chat.value;
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useSignal(true);
  const jump = (): void => {
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  };
  const items = chat.items.value;
  const waiting = chat.interrupts.value;
  const title = app.title();
  useEffect(() => {
    document.title = title === undefined || title === '' ? texts.product : `${title} · ${texts.product}`;
  }, [title]);
  // A user who reads further up stays there.
  useEffect(() => {
    if (isAtEnd.value) jump();
  }, [items, waiting]);
  return (
    <main inert={app.isListOpen.value && isNarrow()}>
      <BannerLine app={app} />
      <div
        class="scroller"
        ref={scroller}
        tabIndex={0}
        role="region"
        aria-label={texts.messages}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          isAtEnd.value = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
        }}
      >
        <Opening app={app} />
        {chat.hasEarlier.value && (
          <button type="button" class="quiet" onClick={() => void chat.showEarlier()}>
            {texts.earlier}
          </button>
        )}
        <Items chat={chat} names={app.names} />
        {chat.isRunning.value && (
          <p class="working">{chat.isConnectionLost.value ? texts.connectionLost : texts.thinking}</p>
        )}
        <Interrupts chat={chat} names={app.names} />
      </div>
      <Announcer key={chat.id} chat={chat} />
      {!isAtEnd.value && (
        <button type="button" class="jump plain" onClick={jump}>
          {texts.jump}
        </button>
      )}
      <Composer app={app} />
    </main>
  );
}

/** What is shown before there are messages. */
function Opening({ app }: { readonly app: App }): JSX.Element | null {
  const chat = app.chat.value;
  if (chat.phase.value === 'loading') return <p class="working">{texts.loading}</p>;
  if (chat.phase.value === 'failed')
    return (
      <div class="opening">
        <p>{texts.notLoaded}</p>
        <button type="button" class="plain" onClick={() => void chat.refresh()}>
          {texts.readAgain}
        </button>
      </div>
    );
  return chat.items.value.length === 0 && !chat.isRunning.value ? <Welcome app={app} /> : null;
}

/** Where the list of conversations covers the conversation. */
function isNarrow(): boolean {
  return matchMedia('(max-width: 48rem)').matches;
}

function Welcome({ app }: { readonly app: App }): JSX.Element {
  return (
    <section class="welcome">
      <h2>{texts.welcome}</h2>
      <p>{texts.welcomeMore}</p>
      <div class="suggestions">
        {suggestionsOf(app).map((text) => (
          <button
            key={text}
            type="button"
            class="plain"
            onClick={() => {
              app.chat.value.send(text);
            }}
          >
            {text}
          </button>
        ))}
      </div>
    </section>
  );
}

/** What can be tried at once: two things that only read, in the words of their tools. */
function suggestionsOf({ names }: App): readonly string[] {
  const reading = names.connections.value.flatMap(({ tools }) =>
    tools.filter(({ effect }) => effect === 'read'),
  );
  return [...reading.slice(0, 2).map(({ title }) => texts.asRequest(title)), texts.suggestion];
}

function BannerLine({ app }: { readonly app: App }): JSX.Element | null {
  const banner = app.banner.value;
  if (banner === undefined) return null;
  const { kind, text, requestId } = banner;
  return (
    <div class={`banner ${kind}`} role="alert">
      <p>
        {text} {requestId !== undefined && <span class="soft">{texts.requestId(requestId)}</span>}
      </p>
      {requestId !== undefined && <CopyButton text={requestId} />}
      {kind === 'signed_out' ? (
        <a class="button" href={location.pathname + location.search}>
          {texts.signIn}
        </a>
      ) : (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            app.banner.value = undefined;
          }}
        >
          {texts.dismiss}
        </button>
      )}
    </div>
  );
}
