/** One variable that is missing or malformed. It holds the expected form, never the value that was found. */
export interface ConfigFault {
  readonly variable: string;
  readonly expected: string;
  readonly missing: boolean;
}

/** The exit code when the configuration prevents the start: EX_CONFIG of sysexits.h. */
export const EX_CONFIG = 78;

/** All faults of the environment at once. The message is meant for the operator's terminal. */
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
