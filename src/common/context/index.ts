export { annotateContext, requestContext, runInContext, type RequestContext } from './request-context.js';
