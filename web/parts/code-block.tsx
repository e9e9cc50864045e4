import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { tokensOf } from '../lib/highlight.ts';
import { texts } from '../texts.ts';
import { CopyButton } from './copy-button.tsx';

/** Loaded with the first code that is shown. Without it, code is plain. */
const highlight = signal<typeof tokensOf | undefined>(undefined);

interface CodeBlockProps {
  readonly code: string;
  readonly language: string | undefined;
}

/** Code as it was written, with a button that copies it. */
export function CodeBlock({ code, language }: CodeBlockProps): JSX.Element {
  useEffect(() => {
    import('../lib/highlight.ts').then(
      (loaded) => {
        highlight.value = loaded.tokensOf;
      },
      () => undefined,
    );
  }, []);
  const tokens = highlight.value?.(code, language) ?? [{ kind: 'plain', text: code }];
  return (
    <div class="code">
      <div class="code-head">
        <span>{language ?? ''}</span>
        <CopyButton text={code} />
      </div>
      <pre tabIndex={0} aria-label={texts.code}>
        <code>
          {tokens.map(({ kind, text }, key) => (
            <span key={key} class={`t-${kind}`}>
              {text}
            </span>
          ))}
        </code>
      </pre>
    </div>
  );
}
