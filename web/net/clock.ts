let aheadMs = 0;

/** The clock of this device may be wrong, and links expire by the service's. */
export function noteServerTime(date: string | null): void {
  const now = Date.parse(date ?? '');
  if (!Number.isNaN(now)) aheadMs = now - Date.now();
}

/** The service's time, as far as it is known here: Unix milliseconds. */
export function serverNow(): number {
  return Date.now() + aheadMs;
}
