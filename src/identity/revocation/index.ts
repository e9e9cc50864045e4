/** The end of what a user has authorized at a provider; for the session-binding role alone. */
export { GRANTS, type Grants, type RevocationOutcome } from './grants.js';
export { RevocationModule } from './revocation.module.js';
