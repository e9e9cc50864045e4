import type { App } from './app.ts';

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
  if (
    key === 'escape' &&
    app.chat.value.isRunning.value &&
    !app.areKeysShown.value &&
    !app.areConnectionsShown.value
  ) {
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
