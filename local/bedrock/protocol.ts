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

/** A block of a message. The model of rules reads these members; it is told of no other block than that it is there. */
export interface ContentBlock {
  readonly text?: string;
  readonly toolUse?: ToolUse;
  readonly toolResult?: ToolResult;
  readonly image?: unknown;
  readonly document?: unknown;
  readonly cachePoint?: unknown;
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
  readonly toolConfig?: {
    readonly tools: readonly { readonly toolSpec?: ToolSpec; readonly cachePoint?: unknown }[];
  };
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

/** Throws for a request that has the form of Bedrock's model, and that the Converse API refuses all the same. */
export function validate(request: ConverseRequest): void {
  if (
    (request.messages as readonly Message[] | undefined)?.length === undefined ||
    request.messages.length === 0
  ) {
    throw new InvalidRequest('The messages field is required and must not be empty.');
  }
  let previous: Message | undefined;
  for (const [index, message] of request.messages.entries()) {
    validateContent(message, index);
    validateOrder(message, previous);
    previous = message;
  }
  if (previous?.role !== 'user') throw new InvalidRequest('The conversation must end with a user message.');
  validateTools(request);
}

function validateContent(message: Message, index: number): void {
  if (message.content.length === 0) {
    throw new InvalidRequest(
      `The content field in the Message object at messages.${String(index)} is empty.`,
    );
  }
  if (message.content.some(({ text }) => text?.trim() === ''))
    throw new InvalidRequest('The text field in the ContentBlock object is blank.');
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
    if (toolSpec !== undefined && toolSpec.inputSchema.json?.type !== 'object') {
      throw new InvalidRequest('toolSpec.inputSchema.json.type must be object.');
    }
  }
}

const CHARACTERS_A_TOKEN = 4;

/** The tokens of a request, of which the stand-in knows only their usual length. */
export function countTokens(request: unknown): number {
  return Math.ceil(JSON.stringify(request).length / CHARACTERS_A_TOKEN);
}
