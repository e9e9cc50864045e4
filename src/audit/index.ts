export { Audit } from './audit.js';
export { consent, type Consent } from './audit-events.js';
export { AuditModule } from './audit.module.js';
