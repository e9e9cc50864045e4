/** What AWS does not document, as a client may meet it. */
export interface Behaviour {
  /** Whether an authorization URL still redirects to the provider after the provider has answered. */
  sessionsOpenAgain: boolean;
  /** The parameter in which `customState` comes back with the browser; `none` where it does not come back. */
  customStateParameter: 'state' | 'customState' | 'none';
  /**
   * How the browser comes back from a user who has refused: with the session and the provider's `error`, with the `error`
   * alone, or with the session alone, whose status is then FAILED.
   */
  denial: 'session_and_error' | 'error_alone' | 'session_alone';
  /** Whether a stored token is given out for scopes that it does not have. */
  fewerScopesSatisfy: boolean;
  /** Whether another token of the same user may complete a session that began with a token. */
  otherTokenCompletes: boolean;
}

interface Choice<Value> {
  readonly question: string;
  readonly strict: Value;
  readonly lenient: Value;
  /** Where the strict setting was seen, or "unknown". */
  readonly source: string;
}

/** Each question that AWS leaves open, with an answer that gives a client little and one that gives it much. */
export const CHOICES: { readonly [Name in keyof Behaviour]: Choice<Behaviour[Name]> } = {
  sessionsOpenAgain: {
    question: 'Can an authorization URL be opened again after the provider has answered?',
    strict: false,
    lenient: true,
    source: 'unknown',
  },
  customStateParameter: {
    question: 'In which parameter does `customState` come back?',
    strict: 'state',
    lenient: 'customState',
    source: 'unknown; the services beside it use `state`',
  },
  denial: {
    question: 'How does the browser come back from a user who has refused?',
    strict: 'session_and_error',
    lenient: 'session_alone',
    source: 'unknown',
  },
  fewerScopesSatisfy: {
    question: 'Is a stored token given out for scopes that it does not have?',
    strict: false,
    lenient: true,
    source: 'unknown',
  },
  otherTokenCompletes: {
    question: 'May another token of the same user complete the session?',
    strict: false,
    lenient: true,
    source: 'aws/bedrock-agentcore-sdk-typescript, issue 37: refused',
  },
};

/** The answers of a choice: all of one kind, or some of them by their names. */
export function answersOf(choice: 'strict' | 'lenient' | Partial<Behaviour>): Partial<Behaviour> {
  return typeof choice === 'string' ? behaviourOf(choice) : choice;
}

/** All answers of one kind. */
export function behaviourOf(kind: 'strict' | 'lenient'): Behaviour {
  const answers = Object.entries(CHOICES).map(([name, choice]) => [name, choice[kind]] as const);
  return Object.fromEntries(answers) as unknown as Behaviour;
}
