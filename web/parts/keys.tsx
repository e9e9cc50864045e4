import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { App } from '../state/app.ts';
import { texts } from '../texts.ts';

const IS_MAC = /mac|iphone|ipad/i.test(navigator.userAgent);

/** The list of keys. */
export function Keys({ app }: { readonly app: App }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
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
      <button type="button" onClick={() => dialog.current?.close()}>
        {texts.keys.close}
      </button>
    </dialog>
  );
}
