/** AG-UI: its events on the way out, its `RunAgentInput` on the way in. The only folder that knows `@ag-ui`. */
export { agUiEvents, type NumberedEvent } from './ag-ui-events.js';
export { runAgentInput, runId } from './run-agent-input.js';
