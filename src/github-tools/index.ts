/** GitHub as a provider: its facts and its tools. Knows the contract in tools/, and nothing of the agent. */
export { github } from './github.provider.js';
