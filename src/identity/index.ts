export { IdentityModule } from './identity.module.js';
export { CurrentUser } from './inbound/current-user.decorator.js';
export type { User } from './inbound/user.js';
export { FlowTickets, type FlowTicket } from './outbound/flow-tickets.js';
export {
  IDENTITY_SERVICE,
  type CompletionAnswer,
  type IdentityService,
  type OAuth2Flow,
  type TokenAnswer,
} from './outbound/identity-service.js';
export {
  ResourceTokens,
  type AuthorizationRequest,
  type ResourceToken,
  type ResourceTokenRequest,
} from './outbound/resource-tokens.js';
export { SealedToken } from './outbound/sealed-token.js';
