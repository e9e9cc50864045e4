import type { AGUIEvent } from '@ag-ui/core';
import type { RunEvent } from '../runs/index.js';
import { AgUiMapper, type AgUiIds } from './ag-ui-mapper.js';

/** The events of a run as an AG-UI client expects them. */
export async function* agUiEvents(
  ids: AgUiIds,
  events: AsyncIterable<RunEvent>,
): AsyncGenerator<AGUIEvent, void, undefined> {
  const mapper = new AgUiMapper(ids);
  for await (const event of events) yield* mapper.map(event);
}
