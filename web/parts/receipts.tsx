import { useSignal, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { api, type ReceiptView } from '../net/api.ts';
import type { App } from '../state/app.ts';
import { texts } from '../texts.ts';
import { ConversationLink } from './conversation-link.tsx';

/** What was done in the user's name, the latest first. */
export function Receipts({ app, done }: { readonly app: App; readonly done: Signal<number> }): JSX.Element {
  const receipts = useSignal<readonly ReceiptView[] | undefined>(undefined);
  const next = useSignal<string | undefined>(undefined);
  const read = (after?: string): Promise<void> =>
    app.guarded(async () => {
      const page = await api.receipts(after);
      receipts.value = after === undefined ? page.receipts : [...(receipts.value ?? []), ...page.receipts];
      next.value = page.next;
    });
  useEffect(() => void read(), [done.value]);
  const listed = receipts.value;
  return (
    <section class="receipts" aria-labelledby="receipts">
      <h3 id="receipts">{texts.receipts.title}</h3>
      {listed?.length === 0 && <p class="soft">{texts.receipts.none}</p>}
      {listed !== undefined && listed.length > 0 && (
        <>
          <ol>
            {listed.map((receipt, index) => (
              <Line key={`${receipt.at} ${String(index)}`} app={app} receipt={receipt} />
            ))}
          </ol>
          <div class="actions">
            {next.value !== undefined && (
              <button type="button" class="plain" onClick={() => void read(next.value)}>
                {texts.more}
              </button>
            )}
            <button type="button" class="plain" onClick={() => void app.guarded(download)}>
              {texts.receipts.download}
            </button>
          </div>
        </>
      )}
    </section>
  );
}

function Line({ app, receipt }: { readonly app: App; readonly receipt: ReceiptView }): JSX.Element {
  const { at, kind, provider, account, tool = '', sessionId, outcome = '', byRule, within, url } = receipt;
  const sentence = texts.receipts.kinds[kind]?.(app.names.provider(provider), app.names.tool(tool)) ?? kind;
  const more = [
    account === undefined ? undefined : texts.receipts.as(account),
    texts.receipts.outcomes[outcome],
    byRule === true ? texts.receipts.byRule : undefined,
    within === undefined ? undefined : `${texts.within(within)}.`,
  ];
  return (
    <li>
      <time dateTime={at}>{texts.date(at)}</time>
      <div>
        {sentence}
        <p class="soft">{more.filter((each) => each !== undefined).join(' ')}</p>
        <p>
          {url !== undefined && (
            <>
              <a href={url} target="_blank" rel="noopener noreferrer">
                {texts.receipts.show}
              </a>{' '}
            </>
          )}
          {sessionId !== undefined && <ConversationLink app={app} sessionId={sessionId} />}
        </p>
      </div>
    </li>
  );
}

/** All receipts, as the API tells them. */
async function download(): Promise<void> {
  const all: ReceiptView[] = [];
  let after: string | undefined;
  do {
    const page = await api.receipts(after);
    all.push(...page.receipts);
    after = page.next;
  } while (after !== undefined);
  const file = new Blob([JSON.stringify({ receipts: all }, undefined, 2)], { type: 'application/json' });
  const link = Object.assign(document.createElement('a'), {
    href: URL.createObjectURL(file),
    download: texts.receipts.file,
  });
  link.click();
  URL.revokeObjectURL(link.href);
}
