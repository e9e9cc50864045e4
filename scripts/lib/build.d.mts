/** Builds `dist/` with the Nest CLI, unless it was built from these very sources. */
export function build(options?: {
  readonly always?: boolean;
  readonly say?: (line: string) => void;
}): Promise<void>;
