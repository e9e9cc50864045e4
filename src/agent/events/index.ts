/** AG-UI: its events on the way out, its `RunAgentInput` on the way in. The only folder that knows `@ag-ui`. */
export { agUiEvents } from './ag-ui-events.js';
export { runAgentInput } from './run-agent-input.js';
export type { AGUIEvent } from '@ag-ui/core';
