/** Interrupts, from the call that raises one to the user's answer. Knows neither Strands nor AG-UI. */
export type { InterruptAnswer, PresentedInterrupt } from './interrupt.js';
export { Interrupts } from './interrupts.js';
export { PausedCalls } from './paused-calls.js';
