/** What each user has taken today: runs, requests, tokens; and the limits of it. Knows nothing of runs or models. */
export { Usage } from './usage.js';
export { UsageModule } from './usage.module.js';
