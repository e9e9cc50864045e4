export { AppError, errorFields, type ErrorFields } from './app.error.js';
export { describeIssues } from './describe-issues.js';
export { ERRORS, type ErrorCode, type ErrorRow } from './error-catalog.js';
