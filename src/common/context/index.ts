export { annotateContext, requestContext, runInContext } from './request-context.js';
