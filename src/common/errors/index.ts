export { AppError, errorFields } from './app.error.js';
export { describeIssues } from './describe-issues.js';
export { ERRORS, type ErrorCode } from './error-catalog.js';
