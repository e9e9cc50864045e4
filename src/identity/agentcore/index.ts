export { asIdentityError } from './agentcore-errors.js';
