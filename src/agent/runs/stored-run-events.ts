import { z } from 'zod';
import { AppError, ERRORS, type ErrorCode } from '../../common/errors/index.js';
import { json, storedInterrupt, type Json } from '../../sessions/index.js';
import type { PresentedInterrupt } from '../interrupts/index.js';
import type { RunEvent } from './run-event.js';

const presentedInterrupt = z.strictObject({
  stored: storedInterrupt,
  message: z.string(),
  decidedBy: z.enum(['approved', 'switch']).exactOptional(),
  link: z.strictObject({ url: z.string(), expiresAt: z.number() }).exactOptional(),
}) satisfies z.ZodType<PresentedInterrupt>;

const delta = z.string();
const toolCallId = z.string();
const code = z.custom<ErrorCode>((value) => typeof value === 'string' && Object.hasOwn(ERRORS, value));

const runEvent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['started', 'answer_started', 'block_ended']) }),
  z.strictObject({ kind: z.enum(['text', 'reasoning', 'tool_call_arguments']), delta }),
  z.strictObject({ kind: z.literal('tool_call_started'), toolCallId, name: z.string() }),
  z.strictObject({ kind: z.literal('tool_result'), toolCallId, content: z.string() }),
  z.strictObject({ kind: z.literal('earlier_summarised'), messages: z.int() }),
  z.strictObject({ kind: z.literal('notice'), notice: json }),
  z.strictObject({ kind: z.literal('finished'), outcome: z.enum(['success', 'cancelled']) }),
  z.strictObject({ kind: z.literal('interrupted'), interrupts: z.array(presentedInterrupt) }),
  z
    .strictObject({
      kind: z.literal('failed'),
      code,
      detail: z.string(),
      requestId: z.string().exactOptional(),
    })
    .transform(({ kind, code: name, detail, requestId }) => ({
      kind,
      error: new AppError(name, { detail }),
      ...(requestId !== undefined && { requestId }),
    })),
]);

/** An event of a run, as it is stored: without the cause of an error. */
export function storedRunEvent(event: RunEvent): Json {
  if (event.kind !== 'failed') return json.parse(event);
  const { kind, error, requestId } = event;
  return { kind, code: error.code, detail: error.detail, ...(requestId !== undefined && { requestId }) };
}

/** The events of a run that were stored. The first one that cannot be read ends them. */
export function runEventsOf(stored: readonly Json[]): readonly RunEvent[] {
  const events = stored.map((each) => runEvent.safeParse(each).data);
  const end = events.indexOf(undefined);
  return (end === -1 ? events : events.slice(0, end)).filter((event) => event !== undefined);
}

/** Whether an event ends its run. */
export function isEnd({ kind }: RunEvent): boolean {
  return kind === 'finished' || kind === 'interrupted' || kind === 'failed';
}
