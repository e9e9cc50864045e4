import { AppError } from '../common/errors/index.js';

const PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000];

/**
 * Does some work again and again while the store is unavailable.
 * @param stop aborts when it is to be given up
 * @returns whether it was done
 * @throws every other error of the work
 */
export async function persist(work: () => Promise<void>, stop: AbortSignal): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    await pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] ?? 0, stop);
    if (stop.aborted) return false;
    try {
      await work();
      return true;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }
}

/** Waits, but not longer than until a signal aborts. It does not keep the process alive. */
export async function pause(ms: number, stop?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const end = (): void => {
    resolve(undefined);
  };
  const timer = setTimeout(end, ms).unref();
  stop?.addEventListener('abort', end, { once: true });
  await promise;
  clearTimeout(timer);
  stop?.removeEventListener('abort', end);
}

/** The store did not answer: a write may have been done or not. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'sessions_unavailable';
}
