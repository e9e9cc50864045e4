import { github } from '../github-tools/index.js';
import type { Provider } from '../tools/index.js';

/** The providers that the agent role can offer. One is offered where its credential provider is configured. */
export const PROVIDERS: readonly Provider[] = [github];
