export {
  AgentTool,
  type AgentToolOptions,
  type ToolAccess,
  type ToolCallContext,
} from './agent-tool.decorator.js';
export type { ProviderDescription, ToolProvider } from './provider.js';
export {
  ToolRegistry,
  type AuthorizationRequired,
  type ToolCall,
  type ToolOutcome,
  type ToolSpecification,
} from './tool-registry.js';
export { TokenRefusedError, ToolError } from './tool.errors.js';
export { ToolsModule } from './tools.module.js';
