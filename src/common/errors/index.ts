export { AppError, errorFields } from './app.error.js';
export { ERRORS, type ErrorCode, type ErrorRow } from './error-catalog.js';
