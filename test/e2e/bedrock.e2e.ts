import {
  BedrockRuntimeClient,
  ConverseStreamCommand,
  ThrottlingException,
  ValidationException,
  type ConverseStreamCommandInput,
  type Message,
} from '@aws-sdk/client-bedrock-runtime';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startBedrock, type LocalBedrock } from '../../local/bedrock/bedrock.ts';

const TOOLS: ConverseStreamCommandInput['toolConfig'] = {
  tools: [
    {
      toolSpec: {
        name: 'get_github_user',
        description: 'Tell who the user is.',
        inputSchema: { json: { type: 'object', properties: {} } },
      },
    },
    {
      toolSpec: {
        name: 'list_github_repos',
        description: 'List repositories.',
        inputSchema: {
          json: {
            type: 'object',
            properties: {
              limit: { type: 'integer', minimum: 1, maximum: 100 },
              sort: { type: 'string', enum: ['updated', 'created'] },
            },
          },
        },
      },
    },
    {
      toolSpec: {
        name: 'create_issue',
        description: 'Create an issue.',
        inputSchema: {
          json: { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] },
        },
      },
    },
  ],
};

const user = (text: string): Message => ({ role: 'user', content: [{ text }] });

describe("Bedrock's stand-in, by the unmodified AWS SDK", () => {
  let bedrock: LocalBedrock;
  const clients: BedrockRuntimeClient[] = [];

  beforeAll(async () => {
    bedrock = await startBedrock();
    const common = {
      region: 'eu-central-1',
      endpoint: bedrock.url,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'x' },
    };
    clients.push(new BedrockRuntimeClient(common));
    clients.push(new BedrockRuntimeClient({ ...common, requestHandler: new NodeHttpHandler() }));
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await bedrock.close();
  });

  interface Reply {
    readonly text: string;
    readonly deltas: number;
    readonly tools: readonly { readonly name: string; readonly input: unknown }[];
    readonly stopReason: string | undefined;
  }

  const converse = async (messages: Message[], index = 1, toolConfig = TOOLS): Promise<Reply> => {
    const client = clients[index];
    if (client === undefined) throw new Error('no client');
    const { stream } = await client.send(
      new ConverseStreamCommand({ modelId: 'any.model', messages, toolConfig }),
    );
    const deltas: string[] = [];
    const tools: { name: string; input: string }[] = [];
    let stopReason: string | undefined;
    for await (const event of stream ?? []) {
      const { start } = event.contentBlockStart ?? {};
      if (start?.toolUse !== undefined) tools.push({ name: start.toolUse.name ?? '', input: '' });
      const { delta } = event.contentBlockDelta ?? {};
      if (delta?.text !== undefined) deltas.push(delta.text);
      const last = tools.at(-1);
      if (delta?.toolUse?.input !== undefined && last !== undefined) last.input += delta.toolUse.input;
      stopReason = event.messageStop?.stopReason ?? stopReason;
    }
    return {
      text: deltas.join(''),
      deltas: deltas.length,
      tools: tools.map(({ name, input }) => ({ name, input: JSON.parse(input) as unknown })),
      stopReason,
    };
  };

  it.each([
    ['HTTP/2', 0],
    ['HTTP/1.1', 1],
  ] as const)('streams word by word over %s', async (_protocol, index) => {
    const reply = await converse([user('hello')], index);
    expect(reply.stopReason).toBe('end_turn');
    expect(reply.deltas).toBeGreaterThan(5);
  });

  it('calls every tool whose subject is named, with arguments from the text', async () => {
    const reply = await converse([user('Who am I, and which are my 500 latest repositories, by created?')]);
    expect(reply.stopReason).toBe('tool_use');
    expect(reply.tools).toEqual([
      { name: 'get_github_user', input: {} },
      { name: 'list_github_repos', input: { limit: 100, sort: 'created' } },
    ]);
  });

  it.each([
    ['show me my repos', ['list_github_repos']],
    ['who am i?', ['get_github_user']],
    ['My GitHub profile, please', ['get_github_user']],
    ['Open an issue "Broken lamp"', ['create_issue']],
  ])('understands "%s"', async (text, names) => {
    expect((await converse([user(text)])).tools.map(({ name }) => name)).toEqual(names);
  });

  it('asks a question when an argument is missing or no tool is named, and answers small talk', async () => {
    expect((await converse([user('create an issue')])).text).toContain('title');
    expect((await converse([user('do the thing')])).text).toContain('Which of these');
    expect((await converse([user('thank you!')])).text).toBe('You are welcome.');
    expect((await converse([user('hello')], 1, undefined)).text).toContain('Hello');
  });

  const use = (toolUseId: string): Message => ({
    role: 'assistant',
    content: [{ toolUse: { toolUseId, name: 'get_github_user', input: {} } }],
  });
  const result = (toolUseId: string): Message => ({
    role: 'user',
    content: [{ toolResult: { toolUseId, content: [{ json: { data: { login: 'octo' } } }] } }],
  });

  it('describes the results of the tools', async () => {
    const reply = await converse([user('who am i'), use('a'), result('a')]);
    expect(reply.text).toContain('octo');
  });

  it.each([
    ['no message', []],
    ['the assistant first', [use('a')]],
    ['two user messages in a row', [user('a'), user('b')]],
    ['an assistant message last', [user('a'), { role: 'assistant', content: [{ text: 'b' }] }]],
    ['a tool use without its result', [user('a'), use('x'), user('b')]],
    ['a result without its use', [user('a'), { role: 'assistant', content: [{ text: 'b' }] }, result('x')]],
    ['a result for another use', [user('a'), use('x'), result('y')]],
    ['a blank text', [user(' ')]],
    ['no content', [{ role: 'user', content: [] }]],
  ] as readonly (readonly [string, Message[]])[])('refuses %s as Bedrock does', async (_name, messages) => {
    await expect(converse(messages)).rejects.toThrow(ValidationException);
  });

  it('answers with the error classes of the SDK', async () => {
    bedrock.faults.plan(
      /./,
      {
        kind: 'answer',
        status: 429,
        headers: { 'x-amzn-errortype': 'ThrottlingException' },
        body: '{"message":"slow"}',
      },
      1,
    );
    await expect(converse([user('hello')])).rejects.toThrow(ThrottlingException);
    const unsigned = await fetch(`${bedrock.url}/model/m/converse-stream`, { method: 'POST', body: '{}' });
    expect(unsigned.status).toBe(403);
  });
});
