import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../common/errors/index.js';
import { sessionId } from '../../sessions/index.js';
import { runAgentInput } from '../events/index.js';
import type { RunRequest } from '../runs/index.js';

const MAXIMUM_MESSAGE = 32_000;
const MAXIMUM_ANSWERS = 20;

const message = z
  .string()
  .max(MAXIMUM_MESSAGE)
  .regex(/\S/)
  .refine((text) => text.isWellFormed())
  .describe("The user's message");
const answer = z
  .strictObject({
    interruptId: z.string().min(1).max(64).describe('The `id` of the interrupt'),
    status: z.enum(['resolved', 'cancelled']).describe('`resolved` goes on, `cancelled` declines'),
    payload: z
      .unknown()
      .optional()
      .describe(
        'For `approval_required`: `{"approved": true}`; with `"input"`, that is sent instead; with `"allow": "conversation"`, calls like it need no approval in this conversation for a day, where `metadata.allowable` names their inputs. For `account_changed`: `{"switch": true}`',
      ),
  })
  .describe('The answer to one pending interrupt');
const answers = z.array(answer).min(1).max(MAXIMUM_ANSWERS).describe('An answer to every pending interrupt');

const messageRequest = z
  .strictObject({ sessionId, message })
  .meta({ title: 'A message' })
  .transform((body): RunRequest => ({
    ...freshRun(body.sessionId),
    input: { kind: 'message', text: body.message },
  }));
const resumeRequest = z
  .strictObject({ sessionId, resume: answers })
  .meta({ title: 'A resume' })
  .transform((body): RunRequest => ({
    ...freshRun(body.sessionId),
    input: { kind: 'resume', answers: body.resume },
  }));
const agUiRequest = runAgentInput
  .extend({ resume: z.array(z.object(answer.shape)).max(MAXIMUM_ANSWERS).optional() })
  .meta({ title: 'RunAgentInput (AG-UI)' })
  .transform((input, context): RunRequest => {
    const found = inputOf(input);
    if (typeof found !== 'string')
      return {
        sessionId: input.threadId,
        runId: input.runId,
        chosenByClient: ['sessionId', 'runId'],
        input: found,
      };
    context.addIssue({ code: 'custom', params: { sentence: found } });
    return z.NEVER;
  });

type AgUiInput = z.output<typeof runAgentInput> & { readonly resume?: z.output<typeof answers> | undefined };

/** The body of `POST /invocations`, in any of its three forms, as the run that it asks for. */
export const runRequest = z.union([messageRequest, resumeRequest, agUiRequest]);

function freshRun(id: string): Omit<RunRequest, 'input'> {
  return { sessionId: id, runId: randomUUID(), chosenByClient: ['sessionId'] };
}

/**
 * The conversation is the server's own: of the messages that an AG-UI client sends, only the new one counts.
 * @returns a sentence where there is nothing to run
 */
function inputOf({ resume = [], messages }: AgUiInput): RunRequest['input'] | string {
  if (resume.length > 0) return { kind: 'resume', answers: resume };
  const last = messages.at(-1);
  if (last?.role !== 'user') return 'messages: the last one must be of the role user';
  const { content } = last;
  const parts =
    typeof content === 'string'
      ? [content]
      : content.map((part) => (part.type === 'text' ? part.text : undefined));
  if (parts.includes(undefined)) return 'messages: only text is taken';
  const text = message.safeParse(parts.join('\n'));
  if (text.success) return { kind: 'message', text: text.data };
  return `messages: the text must have 1 to ${String(MAXIMUM_MESSAGE)} characters`;
}

/** The request with its key as the id of its run. @throws AppError `invalid_request` where the body names another run */
export function withKey(request: RunRequest, key: string | undefined): RunRequest {
  if (key === undefined || key === request.runId) return request;
  if (request.chosenByClient.includes('runId')) {
    throw new AppError('invalid_request', {
      reason: 'idempotency_key',
      detail: 'The runId of the body and the Idempotency-Key differ. Send one of them.',
    });
  }
  return { ...request, runId: key, chosenByClient: [...request.chosenByClient, 'runId'] };
}
