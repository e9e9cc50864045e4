/** Swagger UI and openapi.json, for signed-in users. */
export { ApiDocsModule } from './api-docs.module.js';
