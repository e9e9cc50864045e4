import { randomUUID } from 'node:crypto';
import { RunAgentInputSchema } from '@ag-ui/core/schemas';
import { z } from 'zod';
import { AppError, describeIssues } from '../common/errors/index.js';

const MAXIMUM_MESSAGE = 32_000;
const MAXIMUM_ANSWERS = 20;

const sessionId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .describe('Names the conversation; the first message with a new id starts one');
const runId = z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/);
const message = z
  .string()
  .max(MAXIMUM_MESSAGE)
  .refine((text) => text.trim() !== '' && text.isWellFormed(), 'must not be blank')
  .describe("The user's words");
const answer = z
  .strictObject({
    interruptId: z.string().min(1).max(64).describe('The `id` of the interrupt'),
    status: z.enum(['resolved', 'cancelled']).describe('`resolved` goes on, `cancelled` declines'),
    payload: z.unknown().optional().describe('For `approval_required`: `{"approved": true}`'),
  })
  .describe('The answer to one pending interrupt');
const answers = z.array(answer).min(1).max(MAXIMUM_ANSWERS).describe('An answer to every pending interrupt');

export const messageRequest = z.strictObject({ sessionId, message });
export const resumeRequest = z.strictObject({ sessionId, resume: answers });

/** AG-UI's `RunAgentInput`, with our limits on what names a conversation. */
const runAgentInput = RunAgentInputSchema.extend({ threadId: sessionId, runId });

export interface InterruptAnswer {
  readonly interruptId: string;
  readonly status: 'resolved' | 'cancelled';
  readonly payload?: unknown;
}

/** What a run does, whichever of the three forms asked for it. */
export interface RunRequest {
  readonly sessionId: string;
  readonly runId: string;
  /** Which ids are the client's own. */
  readonly chosenByClient: readonly ('sessionId' | 'runId')[];
  readonly input:
    | { readonly kind: 'message'; readonly text: string }
    | { readonly kind: 'resume'; readonly answers: readonly InterruptAnswer[] };
}

/** @throws AppError `invalid_request`, saying which member is wrong and never what was in it */
export function parseRunRequest(body: unknown): RunRequest {
  if (typeof body !== 'object' || body === null) throw invalid('The body must be a JSON object.');
  if ('threadId' in body) return fromRunAgentInput(parse(runAgentInput, body));
  if ('resume' in body) {
    const { sessionId: id, resume } = parse(resumeRequest, body);
    return { ...freshRun(id), input: { kind: 'resume', answers: resume.map(toAnswer) } };
  }
  const { sessionId: id, message: text } = parse(messageRequest, body);
  return { ...freshRun(id), input: { kind: 'message', text } };
}

/** The conversation is the server's own: of the messages that an AG-UI client sends, only the new one counts. */
function fromRunAgentInput(input: z.output<typeof runAgentInput>): RunRequest {
  const ids = {
    sessionId: input.threadId,
    runId: input.runId,
    chosenByClient: ['sessionId', 'runId'] as const,
  };
  if (input.resume !== undefined && input.resume.length > 0) {
    const resume = parse(
      answers,
      input.resume.map(({ interruptId, status, payload }) => ({
        interruptId,
        status,
        payload: payload as unknown,
      })),
    );
    return { ...ids, input: { kind: 'resume', answers: resume.map(toAnswer) } };
  }
  const last = input.messages.at(-1);
  if (last?.role !== 'user') throw invalid('messages: the last one must be of the role user.');
  const { content } = last;
  const parts =
    typeof content === 'string'
      ? [content]
      : content.map((part) => (part.type === 'text' ? part.text : undefined));
  if (parts.includes(undefined)) throw invalid('messages: only text is taken.');
  const text = message.safeParse(parts.join('\n'));
  if (!text.success)
    throw invalid(`messages: the text must have 1 to ${String(MAXIMUM_MESSAGE)} characters.`);
  return { ...ids, input: { kind: 'message', text: text.data } };
}

function freshRun(id: string): Omit<RunRequest, 'input'> {
  return { sessionId: id, runId: randomUUID(), chosenByClient: ['sessionId'] };
}

function toAnswer({ interruptId, status, payload }: z.output<typeof answer>): InterruptAnswer {
  return { interruptId, status, ...(payload !== undefined && { payload }) };
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(`The request does not fit: ${describeIssues(parsed.error, 'body')}.`);
}

function invalid(detail: string): AppError {
  return new AppError('invalid_request', { detail, reason: 'body' });
}
