import { State } from '../lib/state.ts';
import type { Grant } from './oauth-client.ts';

/** The user of a workload access token. `artifact` is the value with which the caller identified the user. */
export interface WorkloadToken {
  readonly workload: string;
  readonly user?: { readonly key: string; readonly artifact: string };
  /** The user's own token, where the workload access token was made with one. */
  readonly userToken?: string;
  readonly expiresAt: number;
}

export interface AuthorizationSession {
  readonly workload: string;
  readonly user: { readonly key: string; readonly artifact: string };
  readonly provider: string;
  readonly scopes: readonly string[];
  readonly returnUrl: string;
  readonly customState?: string;
  readonly customParameters: Readonly<Record<string, string>>;
  readonly state: string;
  readonly codeVerifier: string;
  readonly expiresAt: number;
  /** `started`, then `authorized` when the code has come back, then `used`; `failed` when the user denied. */
  status: 'started' | 'authorized' | 'used' | 'failed';
  code?: string;
}

/** What the vault holds. */
export interface VaultState {
  workloadTokens: Record<string, WorkloadToken>;
  sessions: Record<string, AuthorizationSession>;
  grants: Record<string, Grant[]>;
}

/** The state of AgentCore Identity: workload access tokens, authorization sessions, and the token vault. */
export class Vault {
  readonly #state: State<VaultState>;

  constructor(file?: string) {
    this.#state = new State<VaultState>(() => ({ workloadTokens: {}, sessions: {}, grants: {} }), file);
  }

  putWorkloadToken(token: string, value: WorkloadToken): void {
    this.#state.value.workloadTokens[token] = value;
    this.#state.save();
  }

  workloadToken(token: string): WorkloadToken | undefined {
    return this.#state.value.workloadTokens[token];
  }

  /** Invalidates all workload access tokens. The real service invalidates them at an unknown time. */
  expireWorkloadTokens(): void {
    this.#state.value.workloadTokens = {};
    this.#state.save();
  }

  putSession(uri: string, session: AuthorizationSession): void {
    this.#state.value.sessions[uri] = session;
    this.#state.save();
  }

  session(uri: string): AuthorizationSession | undefined {
    return this.#state.value.sessions[uri];
  }

  /** Every authorization session so far. */
  sessions(): readonly AuthorizationSession[] {
    return Object.values(this.#state.value.sessions);
  }

  sessionByState(state: string): readonly [string, AuthorizationSession] | undefined {
    return Object.entries(this.#state.value.sessions).find(([, session]) => session.state === state);
  }

  /** Stores a grant, and keeps older grants that allow a scope which it does not. */
  putGrant(key: string, grant: Grant): void {
    const others = (this.#state.value.grants[key] ?? []).filter(
      (other) => !other.scopes.every((scope) => grant.scopes.includes(scope)),
    );
    this.#state.value.grants[key] = [...others, grant];
    this.#state.save();
  }

  dropGrant(key: string, grant: Grant): void {
    const grants = this.#state.value.grants[key] ?? [];
    this.#state.value.grants[key] = grants.filter((other) => other.accessToken !== grant.accessToken);
    this.#state.save();
  }

  /** A grant that allows the scopes. With `anyScopes`, the latest grant where none does. */
  grantFor(key: string, scopes: readonly string[], anyScopes = false): Grant | undefined {
    const grants = this.#state.value.grants[key] ?? [];
    const fits = (grant: Grant): boolean => scopes.every((scope) => grant.scopes.includes(scope));
    return grants.find(fits) ?? (anyScopes ? grants.at(-1) : undefined);
  }

  /** The entries of the vault, `workload|user|provider` to grants, so that tests can compare them before and after. */
  grants(): Readonly<Record<string, readonly Grant[]>> {
    return structuredClone(this.#state.value.grants);
  }

  /** All secrets in the vault. Tests search other outputs for them. */
  secrets(): readonly string[] {
    const { workloadTokens, sessions, grants } = this.#state.value;
    return [
      ...Object.keys(workloadTokens),
      ...Object.values(workloadTokens).flatMap(({ userToken }) => userToken ?? []),
      ...Object.entries(sessions).flatMap(([uri, { customState, state, codeVerifier, code }]) => [
        uri,
        state,
        codeVerifier,
        ...(customState === undefined ? [] : [customState]),
        ...(code === undefined ? [] : [code]),
      ]),
      ...Object.values(grants)
        .flat()
        .flatMap(({ accessToken, refreshToken }) => [
          accessToken,
          ...(refreshToken === undefined ? [] : [refreshToken]),
        ]),
    ];
  }

  snapshot(): VaultState {
    return this.#state.snapshot();
  }

  restore(state: VaultState): void {
    this.#state.restore(state);
  }

  save(): void {
    this.#state.save();
  }

  reset(): void {
    this.#state.reset();
  }
}

export function vaultKey(workload: string, userKey: string, provider: string): string {
  return [workload, userKey, provider].join('|');
}
