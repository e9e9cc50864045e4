/** An event of the agent loop. The types are our own: no type of Strands leaves this folder. */
export type LoopEvent =
  | { readonly kind: 'answer_started' }
  | { readonly kind: 'text' | 'reasoning'; readonly delta: string }
  | { readonly kind: 'tool_call_started'; readonly toolCallId: string; readonly name: string }
  | { readonly kind: 'tool_call_arguments'; readonly delta: string }
  | { readonly kind: 'block_ended' }
  | { readonly kind: 'tool_result'; readonly toolCallId: string; readonly content: string }
  | { readonly kind: 'notice'; readonly notice: unknown };
