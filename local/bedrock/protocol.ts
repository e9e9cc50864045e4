/** The part of Bedrock's Converse API that the local model reads and writes. Names are the API's own. */
export interface ToolUse {
  readonly toolUseId: string;
  readonly name: string;
  readonly input: unknown;
}

export interface ToolResult {
  readonly toolUseId: string;
  readonly content: readonly { readonly text?: string; readonly json?: unknown }[];
  readonly status?: 'success' | 'error';
}

export interface ContentBlock {
  readonly text?: string;
  readonly toolUse?: ToolUse;
  readonly toolResult?: ToolResult;
}

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: readonly ContentBlock[];
}

export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface ToolSpec {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: { readonly json?: JsonSchema };
}

export interface ConverseRequest {
  readonly messages: readonly Message[];
  readonly system?: readonly { readonly text?: string }[];
  readonly toolConfig?: { readonly tools: readonly { readonly toolSpec?: ToolSpec }[] };
}

/** The answer of a model: text, then tool uses. */
export interface Reply {
  readonly text: string;
  readonly toolUses: readonly {
    readonly name: string;
    readonly input: unknown;
    /** A new id when absent. A hostile model can set an id that was used before. */
    readonly toolUseId?: string;
  }[];
}

export type Model = (request: ConverseRequest) => Reply;

/** The error for a request that Bedrock refuses with a ValidationException. */
export class InvalidRequest extends Error {}

/** Throws for every request that Bedrock's Converse API refuses. */
export function validate(value: unknown): ConverseRequest {
  const request = value as ConverseRequest & { readonly messages?: readonly Message[] };
  if (!(request.messages instanceof Array) || request.messages.length === 0) {
    throw new InvalidRequest('The messages field is required and must not be empty.');
  }
  let previous: Message | undefined;
  for (const [index, message] of request.messages.entries()) {
    validateMessage(message, index);
    validateOrder(message, previous);
    previous = message;
  }
  if (previous?.role !== 'user') throw new InvalidRequest('The conversation must end with a user message.');
  validateTools(request);
  return request;
}

function validateMessage(message: Message, index: number): void {
  if (!['user', 'assistant'].includes(message.role)) {
    throw new InvalidRequest(`messages.${String(index)}.role must be user or assistant.`);
  }
  if (!(message.content instanceof Array) || message.content.length === 0) {
    throw new InvalidRequest(
      `The content field in the Message object at messages.${String(index)} is empty.`,
    );
  }
  for (const block of message.content) {
    const kinds = [block.text, block.toolUse, block.toolResult].filter((kind) => kind !== undefined);
    if (kinds.length !== 1)
      throw new InvalidRequest('A content block must hold exactly one supported member.');
    if (block.text?.trim() === '')
      throw new InvalidRequest('The text field in the ContentBlock object is blank.');
  }
}

function validateOrder(message: Message, previous: Message | undefined): void {
  if (previous === undefined && message.role !== 'user') {
    throw new InvalidRequest('A conversation must start with a user message.');
  }
  if (previous?.role === message.role) {
    throw new InvalidRequest('A conversation must alternate between user and assistant roles.');
  }
  const asked = new Set((previous?.content ?? []).flatMap((block) => block.toolUse?.toolUseId ?? []));
  const answered = message.content.flatMap((block) => block.toolResult?.toolUseId ?? []);
  if (new Set(answered).size !== answered.length) throw new InvalidRequest('A tool result is given twice.');
  for (const id of answered) {
    if (!asked.delete(id)) {
      throw new InvalidRequest(
        'The number of toolResult blocks exceeds the number of toolUse blocks of previous turn.',
      );
    }
  }
  if (asked.size > 0) {
    throw new InvalidRequest(`Expected toolResult blocks for the following Ids: ${[...asked].join(', ')}`);
  }
}

function validateTools(request: ConverseRequest): void {
  const usesTools = request.messages.some((message) =>
    message.content.some((block) => block.toolUse !== undefined || block.toolResult !== undefined),
  );
  if (usesTools && request.toolConfig === undefined) {
    throw new InvalidRequest(
      'The toolConfig field must be defined when using toolUse and toolResult content blocks.',
    );
  }
  for (const { toolSpec } of request.toolConfig?.tools ?? []) {
    if (toolSpec === undefined || !/^[a-zA-Z0-9_-]{1,64}$/.test(toolSpec.name)) {
      throw new InvalidRequest('toolSpec.name must match [a-zA-Z0-9_-]{1,64}.');
    }
    if (toolSpec.inputSchema.json?.type !== 'object') {
      throw new InvalidRequest('toolSpec.inputSchema.json.type must be object.');
    }
  }
}
