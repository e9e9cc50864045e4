/** Who is asking: verifies what the load balancer, or the user's own access token, says of them. */
export { CurrentUser } from './current-user.decorator.js';
export { SignInModule } from './sign-in.module.js';
export type { User } from './user.js';
