export { DeadlineError, untilAborted, withDeadline } from './deadline.js';
