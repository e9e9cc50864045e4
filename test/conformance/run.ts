import * as data from '@aws-sdk/client-bedrock-agentcore';
import * as control from '@aws-sdk/client-bedrock-agentcore-control';
import * as runtime from '@aws-sdk/client-bedrock-runtime';
import { AwsModel, type OperationModel } from '../../local/lib/aws-model.ts';
import type { FaultSwitch } from '../../local/lib/faults.ts';
import { casesOf, type ConformanceCase } from './cases.ts';
import { explained, type Way } from './explained.ts';
import { agentCoreIdentityWorld, bedrockWorld, type ConformanceWorld } from './world.ts';

/** What one operation was asked, and how the stand-in answered. */
export interface OperationResult {
  readonly service: string;
  readonly operation: string;
  readonly cases: number;
  /** Answers with a 2xx, whose form was compared as well. */
  readonly answered: number;
  readonly errorClasses: number;
  /** Differences that a row of the table explains, by the row. */
  readonly explained: ReadonlyMap<string, number>;
  /** Differences that nothing explains. */
  readonly differences: readonly string[];
}

/** An answer, whichever way it was asked for. */
interface Answer {
  readonly status: number;
  /** The error class. */
  readonly error?: string;
  readonly message: string;
  readonly body?: unknown;
  /** The events of a stream, each as the model has it. */
  readonly events?: readonly unknown[];
}

type Input = ConformanceCase['input'];
type Ask = (operation: string, input: Input) => Promise<Answer>;
type Command = new (input: never) => never;

interface Sending {
  send(command: never): Promise<unknown>;
}

const CREDENTIALS = { accessKeyId: 'AKIACONFORMANCE', secretAccessKey: 'x' };
const CHANGES = /^(Create|Update|Delete|Complete)/;
/** The form of a signature, which is all that the stand-ins look at. */
const signed = (service: string): Readonly<Record<string, string>> => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIACONFORMANCE/20260101/eu-central-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
  'x-amz-date': '20260101T000000Z',
});

/** Asks the stand-ins everything that AWS's own model says, by plain HTTP and by the AWS SDK. */
export async function runConformance(): Promise<readonly OperationResult[]> {
  const identity = await agentCoreIdentityWorld();
  const bedrock = await bedrockWorld();
  const settings = ({ part }: ConformanceWorld): object => ({
    region: 'eu-central-1',
    endpoint: part.url,
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
  const clients = {
    data: new data.BedrockAgentCoreClient(settings(identity)),
    control: new control.BedrockAgentCoreControlClient(settings(identity)),
    runtime: new runtime.BedrockRuntimeClient(settings(bedrock)),
  };
  try {
    return [
      ...(await service('bedrock-agentcore', identity, sdkAsk(clients.data, data))),
      ...(await service('bedrock-agentcore-control', identity, sdkAsk(clients.control, control))),
      ...(await service('bedrock-runtime', bedrock, sdkAsk(clients.runtime, runtime))),
    ];
  } finally {
    for (const client of Object.values(clients)) client.destroy();
    await Promise.all([identity.close(), bedrock.close()]);
  }
}

async function service(
  name: ConstructorParameters<typeof AwsModel>[0],
  world: ConformanceWorld,
  sdk: Ask,
): Promise<readonly OperationResult[]> {
  const model = new AwsModel(name);
  const asks: Readonly<Record<Way, Ask>> = { http: rawAsk(world.part.url, model), sdk };
  const results: OperationResult[] = [];
  for (const [operation, facts] of Object.entries(model.facts.operations)) {
    const collected = new Collected(model, facts, operation);
    for (const way of ['http', 'sdk'] as const) {
      for (const each of casesOf(model, operation, await world.given(operation))) {
        // What one case creates, changes or uses up must not be in the way of the next.
        if (CHANGES.test(operation)) await world.given(operation);
        collected.compare(way, each, await asks[way](operation, each.input));
      }
    }
    const given = await world.given(operation);
    for (const error of facts.errors) await collected.errorClass(error, world.part.faults, sdk, given);
    results.push(collected.result(name));
  }
  return results;
}

class Collected {
  readonly #model: AwsModel;
  readonly #facts: OperationModel;
  readonly #operation: string;
  readonly #explained = new Map<string, number>();
  readonly #differences: string[] = [];
  #counts = { cases: 0, answered: 0, errorClasses: 0 };

  constructor(model: AwsModel, facts: OperationModel, operation: string) {
    [this.#model, this.#facts, this.#operation] = [model, facts, operation];
  }

  compare(way: Way, asked: ConformanceCase, answer: Answer): void {
    this.#counts.cases += 1;
    const difference = this.#difference(asked, answer);
    if (difference === undefined) return;
    const row = explained(way, asked);
    if (row === undefined)
      this.#differences.push(`${this.#operation} by ${way}, ${asked.member} (${asked.what}): ${difference}`);
    else this.#explained.set(row, (this.#explained.get(row) ?? 0) + 1);
  }

  /** A request that must be allowed may fail for another reason, such as a name that does not exist. */
  #difference({ isAllowed, member }: ConformanceCase, answer: Answer): string | undefined {
    const violated = /Value at '([^']*)' failed to satisfy constraint/.exec(answer.message)?.[1];
    if (!isAllowed) {
      const isRefused =
        answer.status === 400 && answer.error === 'ValidationException' && violated === member;
      return isRefused ? undefined : `it must be refused, and was answered with ${inWords(answer)}`;
    }
    if (violated !== undefined || answer.status >= 500)
      return `it must be allowed, and was answered with ${inWords(answer)}`;
    if (answer.status >= 300) {
      const isKnown = this.#facts.errors.includes(answer.error ?? '');
      return isKnown ? undefined : `${inWords(answer)} is no error of the operation`;
    }
    this.#counts.answered += 1;
    if (answer.status !== this.#facts.status) return `it was answered with ${inWords(answer)}`;
    const bodies = [answer.body ?? [], answer.events ?? []].flat();
    for (const body of bodies) {
      const wrong = this.#model.violation(this.#facts.output, body);
      if (wrong !== undefined) return `the answer's ${wrong.member}: ${wrong.message}`;
    }
    return undefined;
  }

  /** The SDK must raise the error class with its status, where a fault switch plays it. */
  async errorClass(name: string, faults: FaultSwitch, ask: Ask, given: Input): Promise<void> {
    const status = this.#model.facts.errors[name] ?? 0;
    faults.plan(/./, { kind: 'answer', ...this.#model.errorAnswer(name, 'played') }, 1);
    const [smallest] = casesOf(this.#model, this.#operation, given);
    const answer = await ask(this.#operation, smallest?.input ?? {});
    this.#counts.errorClasses += 1;
    if (answer.error !== name || answer.status !== status)
      this.#differences.push(`${this.#operation}: ${name} was raised as ${inWords(answer)}`);
  }

  result(service: string): OperationResult {
    const { cases, answered, errorClasses } = this.#counts;
    const [found, differences] = [this.#explained, this.#differences];
    return {
      service,
      operation: this.#operation,
      cases,
      answered,
      errorClasses,
      explained: found,
      differences,
    };
  }
}

function inWords({ status, error, message }: Answer): string {
  return [status, error, message.slice(0, 200)].filter((each) => each !== undefined && each !== '').join(' ');
}

/** Asks by plain HTTP, as a client in any language does. */
function rawAsk(url: string, model: AwsModel): Ask {
  const signingName = model.facts.service.replace(/-(control|runtime)$/, '');
  return async (operation, input) => {
    const facts = model.facts.operations[operation];
    const path = (facts?.path ?? '').replace(/\{(\w+)\}/, (_, name: string) =>
      encodeURIComponent(textIn(input, name)),
    );
    const response = await fetch(url + path, {
      method: facts?.method ?? 'POST',
      headers: { ...signed(signingName), 'content-type': 'application/json' },
      body: JSON.stringify(input, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
      ),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    const body = isJson ? (JSON.parse(text) as unknown) : undefined;
    const error = response.headers.get('x-amzn-errortype') ?? undefined;
    const message = response.ok ? '' : String((body as { readonly message?: unknown } | undefined)?.message);
    return { status: response.status, message, ...(error !== undefined && { error }), body };
  };
}

/** Asks by the unmodified AWS SDK, which sends what it is given. */
function sdkAsk(client: Sending, commands: object): Ask {
  return async (operation, input) => {
    const Operation = (commands as Readonly<Record<string, Command | undefined>>)[`${operation}Command`];
    if (Operation === undefined) throw new TypeError(`the SDK has no ${operation}`);
    try {
      const answer = (await client.send(new Operation(input as never))) as SdkAnswer;
      const events = [];
      for await (const event of answer.stream ?? []) events.push({ stream: event });
      return { status: answer.$metadata.httpStatusCode, message: '', events };
    } catch (error) {
      const { name, message, $metadata } = error as Error & Partial<SdkAnswer>;
      return { status: $metadata?.httpStatusCode ?? 0, error: name, message };
    }
  };
}

interface SdkAnswer {
  readonly $metadata: { readonly httpStatusCode: number };
  readonly stream?: AsyncIterable<unknown>;
}

function textIn(input: Input, name: string): string {
  const value = input[name];
  return typeof value === 'string' ? value : '';
}
