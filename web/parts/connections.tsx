import { useSignal, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { api, type ConnectionView } from '../net/api.ts';
import type { App } from '../state/app.ts';
import { texts } from '../texts.ts';
import { ConversationLink } from './conversation-link.tsx';
import { Receipts } from './receipts.tsx';

interface ConnectionProps {
  readonly app: App;
  readonly connection: ConnectionView;
  /** Changes when something was done that has a receipt. */
  readonly done: Signal<number>;
}

/** Where the tools act for the user, and what they have done there. */
export function Connections({ app }: { readonly app: App }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const done = useSignal(0);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div class="scroller connections" tabIndex={0} role="region" aria-labelledby="connections">
      <h2 id="connections" tabIndex={-1} ref={heading}>
        {texts.connections.title}
      </h2>
      <p class="soft">{texts.connections.intro}</p>
      <div class="cards">
        {app.names.connections.value.map((connection) => (
          <Connection key={connection.provider} {...{ app, connection, done }} />
        ))}
      </div>
      <Receipts app={app} done={done} />
    </div>
  );
}

function Connection(props: ConnectionProps): JSX.Element {
  const { app, connection } = props;
  const { provider, label, account, disconnectedAt, settingsUrl, tools } = connection;
  const id = `connection-${provider}`;
  const [easiest] = [...tools].sort(
    (one, other) => Number(one.effect === 'write') - Number(other.effect === 'write'),
  );
  return (
    <section class="card" aria-labelledby={id}>
      <h3 id={id}>{label}</h3>
      <p class={account === undefined ? 'soft' : 'connected'}>{stateOf(connection)}</p>
      {account !== undefined && <Facts app={app} account={account} />}
      <h4>{texts.connections.may}</h4>
      <ul>
        {connection.scopes.map((each) => (
          <Scope key={each.scope} app={app} connection={connection} scope={each} />
        ))}
      </ul>
      <Rules {...props} />
      <div class="actions">
        {account === undefined && easiest !== undefined && (
          <button
            type="button"
            onClick={() => {
              app.ask(texts.asRequest(easiest.title));
            }}
          >
            {texts.connections.connect(label)}
          </button>
        )}
        <a class="button plain" href={settingsUrl} target="_blank" rel="noopener noreferrer">
          {texts.connections.settings(label)} <span class="unseen">({texts.consent.opensTab})</span>
        </a>
      </div>
      <End {...props} hasEnded={disconnectedAt !== undefined} />
    </section>
  );
}

function stateOf({ account, disconnectedAt }: ConnectionView): string {
  if (account !== undefined) return texts.connections.as(account.login);
  if (disconnectedAt !== undefined) return texts.connections.ended(texts.date(disconnectedAt));
  return texts.connections.none;
}

function Facts({
  app,
  account,
}: {
  readonly app: App;
  readonly account: NonNullable<ConnectionView['account']>;
}): JSX.Element {
  const { connectedAt, lastUse } = account;
  return (
    <dl class="facts">
      {connectedAt !== undefined && (
        <div>
          <dt>{texts.connections.since}</dt>
          <dd>{texts.date(connectedAt)}</dd>
        </div>
      )}
      <div>
        <dt>{texts.connections.lastUsed}</dt>
        <dd>
          {lastUse === undefined ? (
            texts.connections.never
          ) : (
            <>
              {texts.connections.by(app.names.tool(lastUse.tool), texts.date(lastUse.at))} ·{' '}
              <ConversationLink app={app} sessionId={lastUse.sessionId} />
            </>
          )}
        </dd>
      </div>
    </dl>
  );
}

/** The first tool that needs a further scope asks for it. */
function Scope({
  app,
  connection: { account, tools },
  scope: { scope, allows, why },
}: Pick<ConnectionProps, 'app' | 'connection'> & {
  readonly scope: ConnectionView['scopes'][number];
}): JSX.Element {
  const isThere = account?.scopes.includes(scope) === true;
  const needing = tools.find(({ effect, scopes }) => effect === 'read' && scopes.includes(scope));
  return (
    <li>
      {allows} <span class="soft">· {isThere ? texts.connections.authorized : texts.connections.later}</span>
      {why !== undefined && <p class="soft">{why}</p>}
      {account !== undefined && !isThere && needing !== undefined && (
        <p>
          <button
            type="button"
            class="link"
            onClick={() => {
              app.ask(texts.asRequest(needing.title));
            }}
          >
            {texts.connections.more}
          </button>
        </p>
      )}
    </li>
  );
}

function Rules({ app, connection, done }: ConnectionProps): JSX.Element | null {
  const { provider, rules } = connection;
  if (rules.length === 0) return null;
  return (
    <>
      <h4>{texts.connections.rules}</h4>
      <ul>
        {rules.map(({ id, tool, sessionId, within, expiresAt }) => (
          <li key={id}>
            {app.names.tool(tool)}: {texts.within(within)} ·{' '}
            <ConversationLink app={app} sessionId={sessionId} />{' '}
            <span class="soft">· {texts.connections.until(texts.date(expiresAt))}</span>{' '}
            <button
              type="button"
              class="link"
              onClick={() =>
                void app.guarded(async () => {
                  await api.withdrawRule(provider, id);
                  await app.refreshAccounts();
                  done.value += 1;
                  document.querySelector<HTMLElement>('#connections')?.focus();
                })
              }
            >
              {texts.connections.withdraw}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Ends a connection after asking once more, and says what became of each step. */
function End({
  app,
  connection,
  done,
  hasEnded,
}: ConnectionProps & { readonly hasEnded: boolean }): JSX.Element {
  const { provider, label, account } = connection;
  const isAsked = useSignal(false);
  const isBusy = useSignal(false);
  const steps = useSignal<readonly string[]>([]);
  const asks = useRef<HTMLButtonElement>(null);
  // The button that had the focus is gone.
  const wasAsked = useRef(false);
  useEffect(() => {
    if (wasAsked.current && !isAsked.value) asks.current?.focus();
    wasAsked.current = isAsked.value;
  }, [isAsked.value]);
  const say = (step: string): void => {
    steps.value = [...steps.value, texts.connections.steps[step] ?? step];
  };
  const end = (): Promise<void> =>
    app.guarded(async () => {
      [isBusy.value, isAsked.value, steps.value] = [true, false, []];
      try {
        const { grant, revocation } = await api.disconnect(provider);
        say('stopped');
        if (revocation === undefined) say(grant);
        else {
          say('asking');
          // Where there is no answer, nothing is known.
          let outcome = 'not_proven';
          try {
            ({ outcome } = await api.revoke(revocation.ticket));
          } finally {
            steps.value = steps.value.slice(0, -1);
            say(outcome);
          }
        }
      } finally {
        isBusy.value = false;
        done.value += 1;
        await app.refreshAccounts();
      }
    });
  return (
    <div class="end">
      <div role="status">
        <ol>
          {steps.value.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </div>
      {isAsked.value ? (
        <Sure login={account?.login ?? label} label={label} isAsked={isAsked} end={end} />
      ) : (
        <button
          type="button"
          class="link bad"
          ref={asks}
          disabled={isBusy.value}
          onClick={() => {
            isAsked.value = true;
          }}
        >
          {hasEnded && account === undefined ? texts.connections.endAgain : texts.connections.disconnect}
        </button>
      )}
    </div>
  );
}

interface SureProps {
  readonly login: string;
  readonly label: string;
  readonly isAsked: Signal<boolean>;
  readonly end: () => Promise<void>;
}

function Sure({ login, label, isAsked, end }: SureProps): JSX.Element {
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  return (
    <div role="alert">
      <p>{texts.connections.sure(login, label)}</p>
      <div class="actions">
        <button type="button" class="danger" onClick={() => void end()}>
          {texts.connections.really(label)}
        </button>
        <button
          type="button"
          class="plain"
          ref={keep}
          onClick={() => {
            isAsked.value = false;
          }}
        >
          {texts.connections.keep}
        </button>
      </div>
    </div>
  );
}
