import { markFailed, NAMES, traced } from '../../common/telemetry/index.js';
import type { ToolOutcome } from '../../tools/index.js';

const OPERATION = 'execute_tool';

/**
 * Calls a tool within a span. The name is that of a tool, because the loop answers calls of others itself. The id of the call
 * is the model's, and is not traced.
 */
export function tracedTool(name: string, call: () => Promise<ToolOutcome>): Promise<ToolOutcome> {
  const attributes = { [NAMES.operation]: OPERATION, [NAMES.tool]: name, [NAMES.toolType]: 'function' };
  return traced(`${OPERATION} ${name}`, { attributes }, async (span) => {
    const outcome = await call();
    span.setAttribute('onbehalf.tool.outcome', outcome.kind);
    if (outcome.kind === 'failure') markFailed(span, outcome.code);
    return outcome;
  });
}
