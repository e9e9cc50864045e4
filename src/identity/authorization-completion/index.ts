/** Completes authorizations at AgentCore Identity, for the session-binding role alone. */
export {
  AUTHORIZATION_COMPLETION,
  type AuthorizationCompletion,
  type CompletionAnswer,
} from './authorization-completion.js';
export { AuthorizationCompletionModule } from './authorization-completion.module.js';
