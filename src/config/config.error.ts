/** One variable that is missing or malformed. Holds what is expected, never the value that was found. */
export interface ConfigFault {
  readonly variable: string;
  readonly expected: string;
  readonly missing: boolean;
}

/** The exit code of a start that the configuration prevents: sysexits.h, EX_CONFIG. */
export const EX_CONFIG = 78;

/** Every fault of the environment at once. Its message is meant for the operator's terminal. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(
      ({ variable, expected, missing }) =>
        `  ${variable} ${missing ? 'is missing' : 'is not valid'}: expected ${expected}`,
    );
    super(
      `The configuration has ${String(faults.length)} fault(s):\n${lines.join('\n')}\nSee .env.example for every variable.`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}
