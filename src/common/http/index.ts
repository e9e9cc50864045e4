export {
  answerClientError,
  answerFrameworkError,
  ErrorFilter,
  sendErrorPage,
  wantsPage,
} from './error.filter.js';
export { HttpModule } from './http.module.js';
export {
  formTargetFor,
  Html,
  html,
  renderPage,
  type Page,
  type PageUser,
  type RenderedPage,
} from './page.js';
export { asAppError, problemOf, type Problem } from './problem.js';
export { IS_PUBLIC, Public } from './public.decorator.js';
export { Readiness } from './readiness.js';
export { addRequestHooks } from './request-hooks.js';
export { schemaPipe } from './schema.pipe.js';
export { sendPage } from './send-page.js';
