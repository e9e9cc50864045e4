/** The contract that a provider implements, and the only way to call its tools. Knows nothing of agent or model. */
export {
  AgentTool,
  type AgentToolOptions,
  type ProviderCallContext,
  type ToolAccess,
  type ToolCallContext,
} from './agent-tool.decorator.js';
export { ProviderApi, type ApiAnswer, type ApiRequest } from './provider-api.js';
export {
  scopeInWords,
  type Account,
  type Provider,
  type ProviderDiagnosis,
  type ScopeText,
} from './provider.js';
export { ProviderModule } from './provider.module.js';
export type {
  AccountChanged,
  ApprovalRequired,
  AuthorizationRequired,
  EditedInput,
  RunContext,
  ToolCall,
  ToolOutcome,
  WriteNotes,
} from './tool-call.js';
export { ToolRegistry, type ToolSpecification } from './tool-registry.js';
export { TokenRefusedError, ToolError } from './tool.errors.js';
export { ToolsModule } from './tools.module.js';
