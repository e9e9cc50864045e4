/** For each file, a digest of its text, of all that it imports, directly or not, and of what counts for every file. */
export function digestsOf(
  files: readonly string[],
  countingForAll: readonly string[],
): Readonly<Record<string, string>>;
