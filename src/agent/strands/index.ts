/** The agent loop and the model. The only folder that knows Strands Agents. */
export { AgentLoop, type LoopEnd, type LoopOptions } from './agent-loop.js';
export { bedrockModel } from './bedrock.model.js';
export { asLoopError } from './loop-error.js';
export type { LoopEvent } from './loop-event.js';
export type { LoopCall, LoopCallResult } from './loop-tool.js';
export { MeasuredModel, type ModelTokens } from './measured.model.js';
export { MODEL, type Model } from './model.js';
export { plainAnswer } from './plain-answer.js';
export { unfinishedAnswer, type WaitingCall } from './paused-loop.js';
