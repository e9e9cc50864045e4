const LATEST = 9_999_999_999_999;

/** The length of what `latestFirst` returns. */
export const LATEST_FIRST_LENGTH = 13;

/**
 * The beginning of a key that stands before those of earlier times, in the order in which keys are listed.
 * @param time Unix milliseconds
 */
export function latestFirst(time: number): string {
  return String(LATEST - time).padStart(LATEST_FIRST_LENGTH, '0');
}

/** The time of a name that begins so. */
export function timeOf(name: string): number {
  return LATEST - Number(name.slice(0, LATEST_FIRST_LENGTH));
}
