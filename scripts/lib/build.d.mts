/** Builds `dist/` with the Nest CLI, unless the last build had the same sources. */
export function build(options?: {
  readonly always?: boolean;
  readonly say?: (line: string) => void;
}): Promise<void>;

/** Builds the pages. @param folder an absolute path; that of the configuration when absent */
export function buildPages(folder?: string): Promise<void>;
