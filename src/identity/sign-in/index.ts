/** Identifies the user of a request: verifies the load balancer's token or the user's own access token. */
export { CurrentUser } from './current-user.decorator.js';
export { SignInModule } from './sign-in.module.js';
export type { User } from './user.js';
