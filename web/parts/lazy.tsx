import { signal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { texts } from '../texts.ts';

/** A part of the page that is loaded when it is first shown. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => JSX.Element {
  const loaded = signal<ComponentType<Props> | 'failed' | undefined>(undefined);
  const read = (): void => {
    load().then(
      (part) => (loaded.value = part),
      () => (loaded.value = 'failed'),
    );
  };
  return (props) => {
    useEffect(() => {
      if (typeof loaded.peek() !== 'function') read();
    }, []);
    const Part = loaded.value;
    if (Part === undefined) return <p class="working">{texts.loadingPart}</p>;
    return Part === 'failed' ? <p role="alert">{texts.offline}</p> : <Part {...props} />;
  };
}
