import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Chat } from '../state/chat.ts';
import type { Answer, Interrupt } from '../state/chat-types.ts';
import type { Names } from '../state/names.ts';
import { texts } from '../texts.ts';

/** A card that appears under the pointer must not be clicked by accident. */
const ARMED_AFTER_MS = 500;

export interface CardProps {
  readonly chat: Chat;
  readonly names: Names;
  readonly interrupt: Interrupt;
}

interface FrameProps extends CardProps {
  readonly title: string;
  readonly children: ComponentChildren;
}

/** Where several wait, an answered card says so until the others are answered as well. */
export function CardFrame({ title, children, chat, interrupt }: FrameProps): JSX.Element {
  const answer = chat.answers.value.get(interrupt.id);
  const id = `card-${interrupt.id}`;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // A user who is writing keeps the focus. Of several cards, the first one gets it.
    const { activeElement } = document;
    const isWriting =
      activeElement instanceof HTMLInputElement ||
      (activeElement instanceof HTMLTextAreaElement && activeElement.value !== '');
    const isFirst = chat.interrupts.peek()[0]?.id === interrupt.id;
    if (!isWriting && isFirst) heading.current?.focus();
  }, []);
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id} tabIndex={-1} ref={heading}>
        {title}
      </h2>
      {answer === undefined ? children : <p role="status">{texts.approval.answered}</p>}
    </section>
  );
}

interface DecideProps extends CardProps {
  readonly answer: Answer;
  readonly isPlain?: boolean;
  readonly children: ComponentChildren;
}

/** A button that cannot be pressed in the moment in which it appears. */
export function Decide({ chat, interrupt, answer, isPlain = false, children }: DecideProps): JSX.Element {
  const isArmed = useArmed();
  return (
    <button
      type="button"
      class={isPlain ? 'plain' : ''}
      aria-disabled={!isArmed.value}
      onClick={() => {
        if (!isArmed.value) return;
        chat.answer(interrupt.id, answer);
        document.querySelector<HTMLElement>('#message')?.focus();
      }}
    >
      {children}
    </button>
  );
}

/** Only when the window has been in front for a moment: another site can cover it, and ask for a double click. */
function useArmed(): Signal<boolean> {
  const isArmed = useSignal(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const arm = (): void => {
      disarm();
      timer = setTimeout(() => {
        isArmed.value = true;
      }, ARMED_AFTER_MS);
    };
    const disarm = (): void => {
      clearTimeout(timer);
      isArmed.value = false;
    };
    arm();
    addEventListener('focus', arm);
    addEventListener('blur', disarm);
    return () => {
      clearTimeout(timer);
      removeEventListener('focus', arm);
      removeEventListener('blur', disarm);
    };
  }, []);
  return isArmed;
}

export function Decline(props: Omit<DecideProps, 'answer'>): JSX.Element {
  return <Decide {...props} isPlain answer={{ status: 'cancelled' }} />;
}
