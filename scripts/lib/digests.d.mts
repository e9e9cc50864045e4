/**
 * Returns a digest for each file. It covers the file, all its direct and indirect imports, and the inputs that all files
 * share.
 */
export function digestsOf(
  files: readonly string[],
  countingForAll: readonly string[],
): Readonly<Record<string, string>>;
