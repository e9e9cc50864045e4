import { DiscoveryService } from '@nestjs/core';
import type { z } from 'zod';
import type { User } from '../identity/sign-in/index.js';
import type { OAuth2Flow } from '../identity/token-vault/index.js';

/** The rights that a tool needs at its provider. */
export interface ToolAccess {
  /** The provider's `id`. */
  readonly provider: string;
  /** Exactly these are asked for, shown to the user in words, and required of the token. */
  readonly scopes: readonly string[];
  /** Default `USER_FEDERATION`: on behalf of the user. */
  readonly flow?: OAuth2Flow;
}

/** `write` tools change something at the provider: each call needs the user's approval. */
export type ToolEffect = 'read' | 'write';

export interface AgentToolOptions<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodType = z.ZodType,
> {
  /** Unique among all tools; `^[a-z][a-z0-9_]{0,63}$`. */
  readonly name: string;
  /** For people: what the tool does, as a button would say it. */
  readonly title: string;
  /** For the model: what it does, and when to use it. */
  readonly description: string;
  readonly input: Input;
  /** The form of the answer. The model gets its description; members that are not in it are dropped. */
  readonly output: Output;
  readonly access: ToolAccess;
  readonly effect: ToolEffect;
  /**
   * The name of a method of the same class that looks a write up at the provider: `(input, context, since)`. It answers as
   * the write does where it finds that the write was done at `since` or later, and undefined where it was not. It is asked
   * before a write is made again whose outcome is not known.
   */
  readonly verifiedBy?: string;
  /**
   * Names of text inputs, for a write. With them, a user who approves a call may also allow further ones in the same
   * conversation that have these very inputs, for a day. Absent: each write needs its own approval.
   */
  readonly allowable?: readonly string[];
}

/** A tool is called with its input, and with this. */
export interface ToolCallContext {
  /** Good for this call; never to be stored, logged or returned. */
  readonly accessToken: string;
  readonly user: User;
  /** The scopes of the tool's `access`: the token must have them. */
  readonly scopes: readonly string[];
  /** Aborts when the user leaves or the run is cancelled. */
  readonly signal: AbortSignal;
}

/** A call without its user: enough to ask the provider whose token it is. */
export type ProviderCallContext = Pick<ToolCallContext, 'accessToken' | 'signal' | 'scopes'>;

export const AgentToolMetadata = DiscoveryService.createDecorator<AgentToolOptions>();

type ToolMethod<Input extends z.ZodObject, Output extends z.ZodType> = (
  input: z.output<Input>,
  context: ToolCallContext,
) => Promise<z.input<Output>>;

/**
 * Offers a method of an injectable to the model. The class is listed in the `tools` of its `Provider`.
 *
 * @example
 * \@AgentTool({
 *   name: 'say_parrot_word',
 *   title: 'Say a word',
 *   description: 'Say a word in the name of the user.',
 *   input: z.strictObject({ word: z.string() }),
 *   output: z.object({ said: z.string() }),
 *   access: { provider: 'parrot', scopes: ['speak'] },
 *   effect: 'write',
 * })
 * say({ word }: { word: string }, context: ToolCallContext): Promise<{ said: string }> {
 *   return this.api.write({ method: 'POST', path: ['words'], body: { word }, answer }, context);
 * }
 */
export function AgentTool<Input extends z.ZodObject, Output extends z.ZodType>(
  options: AgentToolOptions<Input, Output>,
): <Method extends ToolMethod<Input, Output>>(
  target: object,
  key: string,
  descriptor: TypedPropertyDescriptor<Method>,
) => void {
  return (target, key, descriptor) => {
    AgentToolMetadata(options as unknown as AgentToolOptions)(target, key, descriptor);
  };
}
