import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Live } from '../state/live.ts';
import { texts } from '../texts.ts';
import { Announcer } from './announcer.tsx';
import { Interrupts } from './interrupts.tsx';
import { Items } from './items.tsx';

/** The conversation of the last request, as people read it, above the raw events. */
export function LivePanel({ live }: { readonly live: Live }): JSX.Element | null {
  const chat = live.chat.value;
  const panel = useRef<HTMLElement>(null);
  const items = chat?.items.value;
  const waiting = chat?.interrupts.value;
  useEffect(() => {
    panel.current?.scrollTo({ top: panel.current.scrollHeight });
  }, [items, waiting]);
  if (chat === undefined || (items?.length === 0 && live.fault.value === undefined)) return null;
  return (
    <section class="live" ref={panel} aria-labelledby="live-title" tabIndex={0}>
      <h2 id="live-title">{texts.live(chat.id)}</h2>
      <Items chat={chat} names={live.names} />
      {chat.isRunning.value && <p class="working">{texts.thinking}</p>}
      <Interrupts chat={chat} names={live.names} />
      {live.fault.value !== undefined && <p role="alert">{live.fault.value}</p>}
      <Announcer key={chat.id} chat={chat} />
    </section>
  );
}
