export {
  AgentTool,
  type AgentToolOptions,
  type ToolAccess,
  type ToolCallContext,
} from './agent-tool.decorator.js';
export type { Account, ProviderDescription, ScopeText, ToolProvider } from './provider.js';
export type {
  AccountChanged,
  ApprovalRequired,
  AuthorizationRequired,
  RunContext,
  ToolCall,
  ToolOutcome,
} from './tool-call.js';
export { ToolRegistry, type ToolSpecification } from './tool-registry.js';
export { TokenRefusedError, ToolError } from './tool.errors.js';
export { ToolsModule } from './tools.module.js';
