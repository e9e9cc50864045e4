/**
 * Names of OpenTelemetry's semantic conventions. The conventions for GenAI are still in development, and their repository
 * advises to copy the names: https://github.com/open-telemetry/semantic-conventions-genai
 */
export const NAMES = {
  agent: 'gen_ai.agent.name',
  errorType: 'error.type',
  inputTokens: 'gen_ai.usage.input_tokens',
  method: 'http.request.method',
  model: 'gen_ai.request.model',
  operation: 'gen_ai.operation.name',
  outputTokens: 'gen_ai.usage.output_tokens',
  provider: 'gen_ai.provider.name',
  resendCount: 'http.request.resend_count',
  route: 'http.route',
  rpcMethod: 'rpc.method',
  rpcSystem: 'rpc.system.name',
  scheme: 'url.scheme',
  status: 'http.response.status_code',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  tokenType: 'gen_ai.token.type',
  tool: 'gen_ai.tool.name',
  toolType: 'gen_ai.tool.type',
} as const;
