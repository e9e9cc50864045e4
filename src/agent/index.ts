export { AgentModule } from './agent.module.js';
export { OpenApiDocument } from './docs/openapi-document.js';
