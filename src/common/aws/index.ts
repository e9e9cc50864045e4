export { requestHandler } from './request-handler.js';
