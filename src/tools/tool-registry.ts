import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { z } from 'zod';
import { Audit } from '../audit/index.js';
import { AppError, errorFields, ERRORS } from '../common/errors/index.js';
import type { ProviderConfig } from '../config/index.js';
import { AgentToolMetadata, type AgentToolOptions } from './agent-tool.decorator.js';
import { OfferedProvider, type Provider } from './provider.js';
import type { RegisteredTool, ToolCall, ToolOutcome } from './tool-call.js';
import { auditOf, ToolPipeline } from './tool-pipeline.js';
import { TokenRefusedError, ToolError } from './tool.errors.js';

/** The description of a tool that the model gets. */
export interface ToolSpecification {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** JSON Schema 2020-12. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** A provider that this deployment offers, and the tools that act there. */
export interface ProviderTools {
  readonly provider: Provider;
  readonly config: ProviderConfig;
  readonly tools: readonly AgentToolOptions[];
}

const TOOL_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** Finds every `@AgentTool`, and is the only way to call one. */
@Injectable()
export class ToolRegistry implements OnApplicationBootstrap {
  readonly #logger = new Logger(ToolRegistry.name);
  readonly #discovery: DiscoveryService;
  readonly #pipeline: ToolPipeline;
  readonly #audit: Audit;
  readonly #tools = new Map<string, RegisteredTool>();
  readonly #specifications: ToolSpecification[] = [];
  #offered: readonly OfferedProvider[] = [];

  constructor(discovery: DiscoveryService, pipeline: ToolPipeline, audit: Audit) {
    this.#discovery = discovery;
    this.#pipeline = pipeline;
    this.#audit = audit;
  }

  /** Registers every tool. @throws TypeError where a tool contradicts its provider or another tool */
  onApplicationBootstrap(): void {
    const wrappers = this.#discovery.getProviders();
    const offered = new Map<string, OfferedProvider>();
    for (const { instance } of wrappers as { readonly instance: unknown }[]) {
      if (instance instanceof OfferedProvider) offered.set(instance.provider.id, instance);
    }
    this.#offered = [...offered.values()];
    for (const wrapper of wrappers) {
      const instance: unknown = wrapper.instance;
      if (typeof instance !== 'object' || instance === null) continue;
      for (const method of methodNames(instance)) {
        const options = this.#discovery.getMetadataByDecorator(AgentToolMetadata, wrapper, method);
        if (options !== undefined)
          this.#register(options, offered.get(options.access.provider), { instance, method });
      }
    }
  }

  /** Every tool, for the model. */
  specifications(): readonly ToolSpecification[] {
    return this.#specifications;
  }

  /** Every provider with its tools, for people. */
  providers(): readonly ProviderTools[] {
    const tools = [...this.#tools.values()].map(({ options }) => options);
    return this.#offered.map(({ provider, config }) => ({
      provider,
      config,
      tools: tools.filter(({ access }) => access.provider === provider.id),
    }));
  }

  /** A tool's title for people; its name where there is no such tool. */
  title(name: string): string {
    return this.#tools.get(name)?.options.title ?? name;
  }

  /** Calls a tool. Never rejects: what goes wrong is an outcome. */
  async call(name: string, rawInput: unknown, call: ToolCall): Promise<ToolOutcome> {
    const startedAt = Date.now();
    const outcome = await this.#run(name, rawInput, call).catch((error: unknown) =>
      this.#failure(name, error, call.signal),
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

  async #run(name: string, rawInput: unknown, call: ToolCall): Promise<ToolOutcome> {
    const tool = this.#tools.get(name);
    if (tool === undefined) throw new ToolError('tool_input_invalid', 'There is no such tool.');
    return this.#pipeline.run(tool, rawInput, call);
  }

  #failure(name: string, error: unknown, signal: AbortSignal): ToolOutcome {
    if (error instanceof ToolError && error.code === 'tool_outcome_unknown')
      this.#logger.error({ event: 'tool_outcome_unknown', tool: name, ...errorFields(error.cause) });
    if (error instanceof ToolError) return { kind: 'failure', code: error.code, message: error.message };
    if (error instanceof TokenRefusedError) {
      const label = this.#tools.get(name)?.offered.provider.label ?? 'The provider';
      return {
        kind: 'failure',
        code: 'provider_rejected',
        message: `${label} does not accept the authorization.`,
      };
    }
    if (
      error instanceof AppError &&
      (error.code === 'identity_unavailable' ||
        error.code === 'identity_misconfigured' ||
        error.code === 'sessions_unavailable' ||
        error.code === 'flows_unavailable')
    ) {
      // Conversations and the flow ledger are in the same store.
      const code = error.code === 'flows_unavailable' ? 'sessions_unavailable' : error.code;
      return { kind: 'failure', code, message: error.detail };
    }
    // The run has ended, which is no fault of the tool.
    if (!signal.aborted) this.#logger.error({ event: 'tool_failed', tool: name, ...errorFields(error) });
    return { kind: 'failure', code: 'tool_failed', message: ERRORS.tool_failed.detail };
  }

  #register(
    options: AgentToolOptions,
    offered: OfferedProvider | undefined,
    { instance, method }: { readonly instance: object; readonly method: string },
  ): void {
    const { name, access } = options;
    const refuse = (problem: string): never => {
      throw new TypeError(`Tool ${name}: ${problem}`);
    };
    if (!TOOL_NAME.test(name)) refuse('its name must match ^[a-z][a-z0-9_]{0,63}$');
    if (this.#tools.has(name)) refuse('another tool has this name');
    if (offered === undefined) return refuse(`there is no provider ${access.provider}`);
    if (access.scopes.some((scope) => offered.provider.scopes[scope] === undefined))
      refuse('a scope of it is not described');
    const run: unknown = Reflect.get(instance, method);
    if (!isMethod(run)) return refuse(`no method ${method}`);
    const { verifiedBy } = options;
    const verify: unknown = verifiedBy === undefined ? undefined : Reflect.get(instance, verifiedBy);
    if (verifiedBy !== undefined && !isMethod(verify)) return refuse(`no method ${verifiedBy}`);
    const unknown = options.allowable?.find((each) => !Object.hasOwn(options.input.shape, each));
    if (unknown !== undefined) refuse(`it has no input ${unknown}`);
    if (options.allowable !== undefined && options.effect === 'read') refuse('a read needs no approval');
    this.#tools.set(name, {
      options,
      offered,
      run: run.bind(instance),
      verify: isMethod(verify) ? verify.bind(instance) : undefined,
    });
    this.#specifications.push(specificationOf(options));
  }
}

function isMethod(value: unknown): value is (...parameters: unknown[]) => Promise<unknown> {
  return typeof value === 'function';
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
