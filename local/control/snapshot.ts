import type { Behaviour } from '../agentcore-identity/behaviour.ts';
import type { Registrations } from '../agentcore-identity/registry.ts';
import type { VaultState } from '../agentcore-identity/vault.ts';
import type { StartedParts } from '../parts.ts';
import type { GrantsState } from '../provider-gate/grants.ts';
import type { StoreSnapshot } from '../s3/object-store.ts';

/**
 * What the parts of a stack hold: tokens, sessions, registrations, objects. The identity provider's sessions are not in it,
 * nor what the tools have written at a provider.
 */
export interface Snapshot {
  readonly version: 1;
  readonly clockOffsetMs: number;
  readonly agentCoreIdentity?: {
    readonly vault: VaultState;
    readonly registrations: Registrations;
    readonly behaviour: Behaviour;
  };
  /** By the providers' ids. */
  readonly providers: Readonly<Record<string, GrantsState>>;
  readonly s3?: StoreSnapshot;
}

interface Clock {
  offsetMs: number;
}

export function snapshotOf({ agentCoreIdentity, providers, s3 }: StartedParts, clock: Clock): Snapshot {
  return {
    version: 1,
    clockOffsetMs: clock.offsetMs,
    ...(agentCoreIdentity !== undefined && {
      agentCoreIdentity: {
        vault: agentCoreIdentity.vault.snapshot(),
        registrations: agentCoreIdentity.registry.snapshot(),
        behaviour: { ...agentCoreIdentity.behaviour },
      },
    }),
    providers: Object.fromEntries([...providers].map(([id, { grants }]) => [id, grants.snapshot()])),
    ...(s3 !== undefined && { s3: s3.store.snapshot() }),
  };
}

/** Makes the parts hold what a snapshot has. A part that it does not have stays as it is. */
export function restore(
  snapshot: Snapshot,
  { agentCoreIdentity, providers, s3 }: StartedParts,
  clock: Clock,
): void {
  clock.offsetMs = snapshot.clockOffsetMs;
  if (agentCoreIdentity !== undefined && snapshot.agentCoreIdentity !== undefined) {
    const { vault, registrations, behaviour } = snapshot.agentCoreIdentity;
    agentCoreIdentity.vault.restore(vault);
    agentCoreIdentity.registry.restore(registrations);
    Object.assign(agentCoreIdentity.behaviour, behaviour);
  }
  for (const [id, { grants }] of providers) {
    const state = snapshot.providers[id];
    if (state !== undefined) grants.restore(state);
  }
  if (s3 !== undefined && snapshot.s3 !== undefined) s3.store.restore(snapshot.s3);
}
