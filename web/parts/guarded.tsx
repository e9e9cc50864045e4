import { Component, type ComponentChildren } from 'preact';
import type { Item } from '../state/items.ts';

interface GuardedProps {
  readonly item: Item;
  readonly children: ComponentChildren;
}

/** An item that cannot be drawn is shown as plain text, and all others are drawn. */
export class Guarded extends Component<GuardedProps, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false };

  static override getDerivedStateFromError(): { readonly hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render({ item, children }: GuardedProps): ComponentChildren {
    return this.state.hasFailed ? <p>{'text' in item ? item.text : ''}</p> : children;
  }
}
