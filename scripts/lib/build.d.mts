/** Builds `dist/` with the Nest CLI, unless the last build had the same sources. */
export function build(options?: {
  readonly always?: boolean;
  readonly say?: (line: string) => void;
}): Promise<void>;
