import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { z } from 'zod';
import { Audit } from '../audit/index.js';
import { AppError, describeIssues, errorFields, ERRORS } from '../common/errors/index.js';
import {
  ResourceTokens,
  type AuthorizationRequest,
  type ResourceToken,
  type TokenAnswer,
  type User,
} from '../identity/index.js';
import { AgentToolMetadata, type AgentToolOptions, type ToolCallContext } from './agent-tool.decorator.js';
import type { ProviderDescription, ToolProvider } from './provider.js';
import { TokenRefusedError, ToolError, type ToolFailureCode } from './tool.errors.js';

/** A tool as the model is told of it. */
export interface ToolSpecification {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** JSON Schema 2020-12. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

export interface ToolCall {
  readonly user: User;
  /** The conversation and the run that call: for the audit trail. */
  readonly sessionId: string;
  readonly runId: string;
  readonly signal: AbortSignal;
  /** The user has approved this very call. */
  readonly approved: boolean;
  /** The user has already been sent to the provider anew for this call; it does not happen twice. */
  readonly reauthenticated: boolean;
}

/** How a call ended, or what it waits for. */
export type ToolOutcome =
  | { readonly kind: 'result'; readonly source: string; readonly data: unknown }
  | { readonly kind: 'failure'; readonly code: ToolFailureCode; readonly message: string }
  | { readonly kind: 'approval_required'; readonly tool: string; readonly input: unknown }
  | AuthorizationRequired;

export interface AuthorizationRequired {
  readonly kind: 'authorization_required';
  readonly tool: string;
  readonly provider: ProviderDescription;
  readonly scopes: readonly string[];
  readonly authorization: AuthorizationRequest;
  /** The provider had refused the stored token. */
  readonly reauthenticated: boolean;
}

interface RegisteredTool {
  readonly options: AgentToolOptions;
  readonly specification: ToolSpecification;
  readonly provider: ProviderDescription;
  readonly run: (input: unknown, context: ToolCallContext) => Promise<unknown>;
}

const TOOL_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** Finds every `@AgentTool`, and is the only way to call one: it checks, asks, fetches the token, calls, checks again. */
@Injectable()
export class ToolRegistry implements OnApplicationBootstrap {
  readonly #logger = new Logger('Tools');
  readonly #discovery: DiscoveryService;
  readonly #resourceTokens: ResourceTokens;
  readonly #audit: Audit;
  readonly #tools = new Map<string, RegisteredTool>();

  constructor(discovery: DiscoveryService, resourceTokens: ResourceTokens, audit: Audit) {
    this.#discovery = discovery;
    this.#resourceTokens = resourceTokens;
    this.#audit = audit;
  }

  onApplicationBootstrap(): void {
    for (const wrapper of this.#discovery.getProviders()) {
      const instance: unknown = wrapper.instance;
      if (typeof instance !== 'object' || instance === null) continue;
      for (const method of methodNames(instance)) {
        const options = this.#discovery.getMetadataByDecorator(AgentToolMetadata, wrapper, method);
        if (options !== undefined) this.#register(options, instance as ToolProvider, method);
      }
    }
  }

  specifications(): readonly ToolSpecification[] {
    return [...this.#tools.values()].map(({ specification }) => specification);
  }

  title(name: string): string {
    return this.#tools.get(name)?.options.title ?? name;
  }

  /** Calls a tool. Never rejects: what goes wrong is an outcome. */
  async call(name: string, rawInput: unknown, call: ToolCall): Promise<ToolOutcome> {
    const startedAt = Date.now();
    const outcome = await this.#call(name, rawInput, call).catch((error: unknown) =>
      this.#failure(name, error),
    );
    if (outcome.kind === 'result' || outcome.kind === 'failure') {
      this.#audit.record('tool_called', {
        ...auditOf(call, this.#tools.has(name) ? name : 'unknown'),
        outcome: outcome.kind,
        ...(outcome.kind === 'failure' && { code: outcome.code }),
        durationMs: Date.now() - startedAt,
      });
    }
    return outcome;
  }

  async #call(name: string, rawInput: unknown, call: ToolCall): Promise<ToolOutcome> {
    const tool = this.#tools.get(name);
    const parsed = tool?.options.input.safeParse(rawInput);
    if (tool === undefined || parsed?.success !== true) {
      throw new ToolError(
        'tool_input_invalid',
        parsed?.error === undefined ? 'There is no such tool.' : inputFaults(parsed.error),
      );
    }
    if (tool.options.effect === 'write' && !call.approved) {
      return { kind: 'approval_required', tool: name, input: parsed.data };
    }
    const token = await this.#token(tool, call, false);
    if (token.kind === 'authorization_required')
      return authorizationRequired(tool, token, call.reauthenticated);
    const { user, signal } = call;
    try {
      const output = await tool.run(parsed.data, { accessToken: token.accessToken, user, signal });
      return { kind: 'result', source: tool.provider.id, data: checkedOutput(tool, output, token) };
    } catch (error) {
      if (!(error instanceof TokenRefusedError) || call.reauthenticated) throw error;
      const fresh = await this.#token(tool, call, true);
      if (fresh.kind === 'token') throw error;
      return authorizationRequired(tool, fresh, true);
    }
  }

  async #token(
    { options, provider }: RegisteredTool,
    call: ToolCall,
    forceAuthentication: boolean,
  ): Promise<ResourceToken> {
    const { scopes, flow } = options.access;
    const token = await this.#resourceTokens.get(call.user, {
      provider: provider.credentialProvider,
      scopes,
      forceAuthentication,
      ...(flow !== undefined && { flow }),
    });
    if (token.kind === 'token') {
      const { awsRequestId } = token;
      const what = { provider: provider.id, scopes: [...scopes], awsRequestId };
      this.#audit.record('token_fetched', { ...auditOf(call, options.name), ...what });
    }
    return token;
  }

  #failure(name: string, error: unknown): ToolOutcome {
    if (error instanceof ToolError) return { kind: 'failure', code: error.code, message: error.message };
    if (error instanceof TokenRefusedError) {
      const label = this.#tools.get(name)?.provider.label ?? 'The provider';
      return {
        kind: 'failure',
        code: 'provider_rejected',
        message: `${label} does not accept the authorization.`,
      };
    }
    if (
      error instanceof AppError &&
      (error.code === 'identity_unavailable' || error.code === 'identity_misconfigured')
    ) {
      return { kind: 'failure', code: error.code, message: error.detail };
    }
    this.#logger.error({ event: 'tool_failed', tool: name, ...errorFields(error) });
    return { kind: 'failure', code: 'tool_failed', message: ERRORS.tool_failed.detail };
  }

  #register(options: AgentToolOptions, instance: ToolProvider, method: string): void {
    const provider = instance.provider as ProviderDescription | undefined;
    const problem =
      (!TOOL_NAME.test(options.name) && 'its name must match ^[a-z][a-z0-9_]{0,63}$') ||
      (this.#tools.has(options.name) && 'another tool has this name') ||
      (provider?.id !== options.access.provider && 'its class describes another provider') ||
      (options.access.scopes.some((scope) => provider?.scopes[scope] === undefined) &&
        'a scope of it is not described');
    if (problem !== false || provider === undefined)
      throw new TypeError(`Tool ${options.name}: ${String(problem)}`);
    const run = (instance as unknown as Readonly<Record<string, RegisteredTool['run']>>)[method];
    if (run === undefined) throw new TypeError(`Tool ${options.name}: no method ${method}`);
    this.#tools.set(options.name, {
      options,
      provider,
      specification: specificationOf(options),
      run: run.bind(instance),
    });
  }
}

function auditOf(
  { user, sessionId, runId }: ToolCall,
  tool: string,
): { user: string; sessionId: string; runId: string; tool: string } {
  return { user: user.sub, sessionId, runId, tool };
}

function methodNames(instance: object): string[] {
  const prototype = Object.getPrototypeOf(instance) as object | null;
  if (prototype === null || prototype === Object.prototype) return [];
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
    .map(([name]) => name);
}

function specificationOf({ name, title, description, input, output }: AgentToolOptions): ToolSpecification {
  return {
    name,
    title,
    description: `${description}\nAnswers: ${JSON.stringify(schemaOf(output, 'output'))}`,
    inputSchema: schemaOf(input, 'input'),
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Readonly<Record<string, unknown>> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

/** Which arguments are wrong, without repeating what was in them. */
function inputFaults(error: z.ZodError): string {
  return `The arguments do not fit: ${describeIssues(error, 'input')}.`;
}

function checkedOutput(
  { options, provider }: RegisteredTool,
  output: unknown,
  { accessToken }: TokenAnswer,
): unknown {
  const checked = options.output.safeParse(output);
  // A provider that repeats the token, in an echo of the request say, must not give it to the model.
  if (checked.success && JSON.stringify(checked.data ?? null).includes(accessToken))
    throw new ToolError('tool_output_invalid', `${provider.label} answered with what must not be shown.`);
  if (checked.success) return checked.data;
  throw new ToolError('tool_output_invalid', `${provider.label} answered in a form that is not understood.`, {
    cause: checked.error,
  });
}

function authorizationRequired(
  { options, provider }: RegisteredTool,
  authorization: AuthorizationRequired['authorization'],
  reauthenticated: boolean,
): AuthorizationRequired {
  return {
    kind: 'authorization_required',
    tool: options.name,
    provider,
    scopes: options.access.scopes,
    authorization,
    reauthenticated,
  };
}
