export { answerClientError, answerFrameworkError, sendErrorPage, wantsPage } from './error.filter.js';
export { HttpModule } from './http.module.js';
export { formTargetFor, Html, html, renderPage, type RenderedPage } from './page.js';
export { asAppError } from './problem.js';
export { IS_PUBLIC, Public } from './public.decorator.js';
export { addRequestHooks } from './request-hooks.js';
export { RequestsInFlight } from './requests-in-flight.js';
export { schemaPipe } from './schema.pipe.js';
export { sendPage } from './send-page.js';
