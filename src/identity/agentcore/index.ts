export { asIdentityError, UnusableAnswerError } from './agentcore-errors.js';
