/** The port to the language model: a process-wide Strands `Model`. */
export const MODEL = Symbol('Model');
export type { Model } from '@strands-agents/sdk';
