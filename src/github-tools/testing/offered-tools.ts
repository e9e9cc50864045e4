import type { DiscoveryService } from '@nestjs/core';
import { aCall } from '../../tools/testing/a-call.js';
import { ToolError, ToolRegistry, type ToolOutcome, type ToolSpecification } from '../../tools/index.js';

type Pipeline = ConstructorParameters<typeof ToolRegistry>[1];
type Audit = ConstructorParameters<typeof ToolRegistry>[2];
type Tool = Parameters<Pipeline['run']>[0];

/** The tools of a module as the agent finds them, called without consent and approval, for tests. */
export class OfferedTools {
  /** Each tool that was called, with what it needs to be allowed. */
  readonly called: Tool['options'][] = [];
  readonly #registry: ToolRegistry;

  constructor(discovery: DiscoveryService) {
    const run: Pipeline['run'] = async ({ options, offered, run: runTool }, rawInput, call) => {
      this.called.push(options);
      const { user, signal } = call;
      const context = { accessToken: 'token', user, signal, scopes: options.access.scopes };
      const input = options.input.safeParse(rawInput);
      if (!input.success) throw new ToolError('tool_input_invalid', 'Invalid.', { cause: input.error });
      const output = options.output.safeParse(await runTool(input.data, context));
      if (!output.success) throw new ToolError('tool_output_invalid', 'Invalid.', { cause: output.error });
      const { data } = output;
      return { kind: 'result', provider: offered.provider.id, data, widerScopes: [] };
    };
    const pipeline = { run } as unknown as Pipeline;
    this.#registry = new ToolRegistry(discovery, pipeline, { record: () => undefined } as unknown as Audit);
    this.#registry.onApplicationBootstrap();
  }

  specification(name: string): ToolSpecification | undefined {
    return this.#registry.specifications().find((each) => each.name === name);
  }

  call(name: string, input: unknown): Promise<ToolOutcome> {
    return this.#registry.call(name, input, aCall());
  }
}
