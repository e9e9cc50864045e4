import { gitHub } from './github/github.ts';
import type { ProviderRow } from './provider-gate/provider.ts';

/** The providers that the local stack stands in for. */
export const PROVIDERS: readonly ProviderRow[] = [gitHub];
