import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { texts } from '../texts.ts';

const SHOWN_MS = 2_000;

/** Copies a text, and says so for a moment. */
export function CopyButton({ text }: { readonly text: string }): JSX.Element {
  const isCopied = useSignal(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    isCopied.value = true;
    setTimeout(() => {
      isCopied.value = false;
    }, SHOWN_MS);
  };
  return (
    <button type="button" class="quiet" onClick={() => void copy()}>
      {isCopied.value ? texts.copied : texts.copy}
    </button>
  );
}
