export const DAY_MS = 86_400_000;

/** A day in UTC, such as `2026-01-31`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The midnight that ends a day; Unix milliseconds. */
export function endOf(day: string): number {
  return Date.parse(day) + DAY_MS;
}
