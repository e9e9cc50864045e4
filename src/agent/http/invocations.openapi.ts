export const EVENT_STREAM_DESCRIPTION = `
Answers a stream of [AG-UI 1.0](https://docs.ag-ui.com) events. A run begins with \`RUN_STARTED\` and ends with exactly one
terminal event:

| terminal event | meaning |
|---|---|
| \`RUN_FINISHED\`, \`outcome.type: "success"\` | the answer is complete |
| \`RUN_FINISHED\`, \`outcome.type: "interrupt"\` | the run waits for you: see \`outcome.interrupts\` |
| \`RUN_FINISHED\`, \`outcome.type: "cancelled"\` | the run was cancelled |
| \`RUN_ERROR\` | the run failed; \`code\` is one of docs/errors.md, and \`metadata.requestId\` finds it in the log |

In between: \`TEXT_MESSAGE_*\` (the answer, word by word), \`TOOL_CALL_START\`/\`ARGS\`/\`END\`/\`RESULT\`, \`REASONING_*\`.

**An interrupt** has a \`reason\`, and \`metadata\` with the \`tool\` and its \`title\`:

| reason | further metadata | how to go on |
|---|---|---|
| \`authorization_required\` | \`provider\`, \`scopes\`, \`connectUrl\` | open \`connectUrl\` in this browser, consent at the provider, then resume |
| \`approval_required\` | \`input\`, and \`account\` where it is known | resume with the payload \`{"approved": true}\` |
| \`account_changed\` | \`provider\`, the account \`before\` and the one \`now\` | resume with \`{"switch": true}\` to act as the new account; with any other payload you are asked to consent again as the account before |

A new message instead of a resume closes the interrupt and is answered. \`@ag-ui/client\` 1.0.0 does not send a plain message
while an interrupt is pending: resume with \`"cancelled"\` first.

The \`CUSTOM\` event \`notice\` names scopes that the provider has granted and nobody asked for; \`earlier_summarised\` says that the model is told a summary of the earliest messages from now on. Lines that begin with a
colon are heartbeats. Every event has an id: its number in the run. A client that has lost its connection reads on with
\`GET /runs/{id}/events\`.

AG-UI clients send their \`RunAgentInput\` to the same address: \`threadId\` names the conversation, and of \`messages\` the last
one counts. Tools that a client offers are not given to the model.`.trim();

export const RUN_EVENTS_DESCRIPTION = `
The events of a run from its first one on, or after the one that \`Last-Event-ID\` names; while it goes on, and after its end
as long as it is the last run of its conversation. The same events have the same ids and the same bytes every time, at
whichever server. Where the server of the run has failed, the stream ends with \`RUN_ERROR\`, code \`run_lost\`.`.trim();

/**
 * They run as they stand, in this order: the first one asks for consent, the second one goes on after it. Only the last
 * one needs the id of an interrupt, because an approval cannot be guessed.
 */
export const REQUEST_EXAMPLES = {
  'first message': {
    summary: '1. A first message',
    value: { sessionId: 'try-it-out', message: 'Who am I on GitHub?' },
  },
  resume: {
    summary: '2. Resume, after you have opened connectUrl and consented',
    value: { sessionId: 'try-it-out', resume: [{ interruptId: 'interrupt-1', status: 'resolved' }] },
  },
  'next message': {
    summary: '3. A second message; needs consent for another scope',
    value: { sessionId: 'try-it-out', message: 'List my 5 latest repositories' },
  },
  decline: {
    summary: '4. Decline that consent',
    value: { sessionId: 'try-it-out', resume: [{ interruptId: 'interrupt-2', status: 'cancelled' }] },
  },
  write: {
    summary: '5. A write: it needs your approval',
    value: {
      sessionId: 'try-it-out',
      message: 'Open an issue in alice-octo/tram-times: "The lamp is broken"',
    },
  },
  approve: {
    summary: '6. Approve it: put in the id of the interrupt',
    value: {
      sessionId: 'try-it-out',
      resume: [{ interruptId: 'interrupt-3-…', status: 'resolved', payload: { approved: true } }],
    },
  },
};

const lines = (...events: readonly object[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
const ids = { threadId: 'try-it-out', runId: 'run-1' };
const toolCallId = 'tooluse_1';

export const EVENT_STREAM_EXAMPLES = {
  'consent is missing': {
    value: lines(
      { type: 'RUN_STARTED', ...ids },
      { type: 'TOOL_CALL_START', toolCallId, toolCallName: 'get_github_user' },
      { type: 'TOOL_CALL_END', toolCallId },
      {
        type: 'RUN_FINISHED',
        ...ids,
        outcome: {
          type: 'interrupt',
          interrupts: [
            {
              id: 'interrupt-1',
              reason: 'authorization_required',
              toolCallId,
              expiresAt: '2026-01-01T12:10:00.000Z',
              metadata: {
                provider: 'github',
                scopes: ['read:user'],
                tool: 'get_github_user',
                title: 'Read your GitHub profile',
                connectUrl: 'https://agent.example.com/oauth2/connect?ticket=…',
              },
            },
          ],
        },
      },
    ),
  },
  'an answer': {
    value: lines(
      { type: 'RUN_STARTED', ...ids },
      { type: 'TEXT_MESSAGE_START', messageId: 'message-1', role: 'assistant' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'message-1', delta: 'You are octocat.' },
      { type: 'TEXT_MESSAGE_END', messageId: 'message-1' },
      { type: 'RUN_FINISHED', ...ids, outcome: { type: 'success' } },
    ),
  },
};
