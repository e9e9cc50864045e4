/** The port to the providers' own end of an authorization. */
export const GRANTS = Symbol('Grants');

/** `proven`: the provider refuses the old token. `still_valid`: it takes it. `not_proven`: it could not be asked. */
export type RevocationOutcome = 'proven' | 'not_proven' | 'still_valid';

/** Ends what a user has authorized at a provider. */
export interface Grants {
  /** Whether there is a client of the provider whose grants can be ended. */
  canRevoke(provider: string): boolean;
  /** Ends the grant of each token, then asks the provider with it. Never rejects. */
  revoke(provider: string, tokens: readonly string[]): Promise<RevocationOutcome>;
}
