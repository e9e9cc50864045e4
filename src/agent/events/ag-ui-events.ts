import { EventType, type AGUIEvent } from '@ag-ui/core';
import type { RunEvent } from '../runs/index.js';
import { AgUiMapper, type AgUiIds } from './ag-ui-mapper.js';

/** An event with its number in the run, from 1: its id in the stream. */
export interface NumberedEvent {
  readonly id: number;
  readonly event: AGUIEvent;
}

/**
 * The events of a run as an AG-UI client expects them.
 * @param after the number of the last event that the client has
 */
export async function* agUiEvents(
  ids: AgUiIds,
  events: AsyncIterable<RunEvent>,
  after = 0,
): AsyncGenerator<NumberedEvent, void, undefined> {
  const mapper = new AgUiMapper(ids);
  let id = 0;
  let last: AGUIEvent | undefined;
  for await (const each of events) {
    for (const event of mapper.map(each)) {
      id += 1;
      last = event;
      if (id > after) yield { id, event };
    }
  }
  // The task of the run has sent more than it has stored. The client must be told the end nevertheless.
  if (id <= after && last !== undefined && isLost(last)) yield { id: after + 1, event: last };
}

function isLost(event: AGUIEvent): boolean {
  return event.type === EventType.RUN_ERROR && event.code === 'run_lost';
}
