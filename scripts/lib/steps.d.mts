export interface Step {
  readonly name: string;
  /** The parameters of Node.js: a file and its arguments. */
  readonly parameters: readonly string[];
}

/** Runs steps, as many at a time as there are cores, and resolves with those that failed. */
export function runSteps<T extends Step>(
  steps: readonly T[],
  options?: { readonly print?: (text: string) => void },
): Promise<readonly T[]>;
