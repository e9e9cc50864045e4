import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { App } from '../state/app.ts';
import { texts } from '../texts.ts';

const IS_MAC = /mac|iphone|ipad/i.test(navigator.userAgent);

/** The list of keys. */
export function Keys({ app }: { readonly app: App }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const isShown = app.areKeysShown.value;
  useEffect(() => {
    if (isShown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isShown]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="keys"
      onClose={() => {
        app.areKeysShown.value = false;
      }}
    >
      <h2 id="keys">{texts.keys.title}</h2>
      <dl>
        {texts.keys.list.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              {(IS_MAC ? texts.keys.onMac(keys) : keys).split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <button
        type="button"
        onClick={() => {
          app.areKeysShown.value = false;
        }}
      >
        {texts.keys.close}
      </button>
    </dialog>
  );
}

/** Keys that work wherever the focus is. None is a single letter, which speech input would set off. */
export function listenToKeys(app: App): void {
  addEventListener('keydown', (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    // Esc empties a field, or leaves it.
    if (event.key === 'Escape' && event.target instanceof HTMLInputElement) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const done = act(app, event.key.toLowerCase(), { isCommand, isShifted: event.shiftKey });
    if (done) event.preventDefault();
  });
}

function act(
  app: App,
  key: string,
  { isCommand, isShifted }: { readonly isCommand: boolean; readonly isShifted: boolean },
): boolean {
  if (key === 'escape' && app.isListOpen.value) {
    app.isListOpen.value = false;
    return true;
  }
  if (key === 'escape' && app.chat.value.isRunning.value && !app.areKeysShown.value) {
    void app.chat.value.stop();
    return true;
  }
  if (!isCommand) return false;
  if (key === 'o' && isShifted) app.open();
  else if (key === 'k') app.showSearch();
  else if (key === '/') app.areKeysShown.value = true;
  else return false;
  return true;
}
