import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../common/errors/index.js';
import { schemaPipe } from '../../common/http/index.js';
import type { RunRequest } from '../runs/index.js';
import { runRequest } from './run-request.schema.js';

/** A body on its way through the pipe of every controller. */
async function parsed(body: unknown): Promise<RunRequest> {
  return (await schemaPipe().transform(body, { type: 'body', schema: runRequest })) as RunRequest;
}

describe('the body of POST /invocations', () => {
  it('takes a message, and gives the run an id', async () => {
    const request = await parsed({ sessionId: 'one', message: 'hello' });
    expect(request).toMatchObject({ sessionId: 'one', input: { kind: 'message', text: 'hello' } });
    expect(request.runId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('takes a resume', async () => {
    const resume = [{ interruptId: 'interrupt-1', status: 'resolved', payload: { approved: true } }];
    expect((await parsed({ sessionId: 'one', resume })).input).toEqual({ kind: 'resume', answers: resume });
  });

  const agUi = {
    threadId: 'one',
    runId: 'run',
    messages: [{ id: '1', role: 'user', content: 'hello' }],
    tools: [],
    context: [],
    state: {},
  };

  it("takes an AG-UI client's input, of which the last message counts", async () => {
    const messages = [
      { id: '0', role: 'assistant', content: 'before' },
      { id: '1', role: 'user', content: [{ type: 'text', text: 'hello' }] },
    ];
    expect(await parsed({ ...agUi, messages })).toEqual({
      sessionId: 'one',
      runId: 'run',
      chosenByClient: ['sessionId', 'runId'],
      input: { kind: 'message', text: 'hello' },
    });
    expect((await parsed({ ...agUi, resume: [] })).input.kind).toBe('message');
    const resume = [{ interruptId: 'interrupt-1', status: 'cancelled' }];
    expect((await parsed({ ...agUi, messages: [], resume })).input).toEqual({
      kind: 'resume',
      answers: resume,
    });
  });

  it.each<[unknown, RegExp]>([
    [undefined, /it is missing or of another type/],
    ['text', /it is missing or of another type/],
    [[], /it is missing or of another type/],
    [{ sessionId: 'one' }, /message/],
    [{ sessionId: '../x', message: 'a' }, /sessionId has characters/],
    [{ sessionId: 'x'.repeat(65), message: 'a' }, /sessionId/],
    [{ sessionId: 'one', message: '  \n' }, /message has characters|message is blank/],
    [{ sessionId: 'one', message: 'x'.repeat(32_001) }, /message is too long or/],
    [{ sessionId: 'one', message: 7 }, /message is missing or of another type/],
    [{ sessionId: 'one', message: 'a', extra: 1 }, /members that are not known/],
    [{ sessionId: 'one', message: 'a', resume: [] }, /resume is too short|members/],
    [{ sessionId: 'one', resume: [{ interruptId: 'a', status: 'yes' }] }, /resume\.0\.status/],
    [{ ...agUi, threadId: 'a b' }, /threadId/],
    [{ ...agUi, runId: '' }, /runId/],
    [{ ...agUi, messages: [] }, /role user/],
    [{ ...agUi, messages: [{ id: '1', role: 'assistant', content: 'x' }] }, /role user/],
    [{ ...agUi, messages: [{ id: '1', role: 'user', content: '' }] }, /1 to 32000/],
    [
      {
        ...agUi,
        messages: [
          {
            id: '1',
            role: 'user',
            content: [{ type: 'image', source: { type: 'url', value: 'https://x' } }],
          },
        ],
      },
      /only text/,
    ],
    [
      { ...agUi, messages: [], resume: [{ interruptId: 'x'.repeat(65), status: 'resolved' }] },
      /interruptId is too long/,
    ],
  ])('refuses %j, and says why', async (body, why) => {
    const thrown: unknown = await parsed(body).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(AppError);
    expect(thrown).toMatchObject({ code: 'invalid_request', detail: expect.stringMatching(why) as unknown });
  });

  it.each([
    { SECRET: 1 },
    { sessionId: 'SECRET!', message: 'a' },
    { sessionId: 'a', resume: [{ SECRET: 1 }] },
    { threadId: 'SECRET!', runId: 'r', messages: [] },
  ])('never repeats what it was sent: %j', async (body) => {
    await expect(parsed(body)).rejects.toMatchObject({
      code: 'invalid_request',
      detail: expect.not.stringContaining('SECRET') as unknown,
    });
  });
});
