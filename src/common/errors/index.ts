export { AppError } from './app.error.js';
export { errorFields } from './error-fields.js';
export { describeIssues } from './describe-issues.js';
export { ERRORS, type ErrorCode } from './error-catalog.js';
