import { startFaultBoard } from './fault-board/fault-board.ts';
import { Inspector } from './inspector/inspector.ts';
import { Recorder } from './inspector/recorder.ts';
import { environmentOf, type EnvironmentOwner } from './lib/environment.ts';
import { BOARD_OFFSET } from './lib/names.ts';
import type { Part } from './lib/part.ts';
import {
  Callbacks,
  place,
  startAccountPart,
  startFront,
  startIdentityService,
  startModel,
  startOneProvider,
  startStorage,
  startTenant,
  type StackOptions,
  type StartedParts,
  type StartOptions,
} from './parts.ts';
import type { LocalProvider } from './provider-gate/provider.ts';
import { PROVIDERS } from './providers.ts';
import { NO_FILE, PART_NAMES, type PartName } from './stack-file.ts';

export * from './lib/names.ts';
export type { StackOptions } from './parts.ts';

/** What every stack has, whatever its parts. */
interface Stack {
  /** Makes the other parts fail, over HTTP and on a page. */
  readonly faultBoard: Part;
  /** Whether the fault board has the inspector. */
  readonly hasInspector: boolean;
  /** What the parts have asked each other; absent where nothing is recorded. */
  readonly recorder?: Recorder;
  /** How far the clock of the parts is ahead, in milliseconds. */
  readonly clock: { offsetMs: number };
  /** The environment of a program on this stack. */
  environment(owner: EnvironmentOwner): Record<string, string>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** A stack of some parts. */
export interface PartialStack extends Stack, StartedParts {}

/** A stack of all parts. */
export interface LocalStack extends Stack, Required<StartedParts> {
  readonly gitHub: LocalProvider;
  /** The callbacks that GitHub's OAuth app allows. */
  readonly gitHubCallbacks: string[];
}

/** The number of ports that a stack with a given port uses: the load balancer's, and those after it. */
export const PORTS = 11 + PROVIDERS.length - 1;

/** Starts every part and connects them to each other. The caller starts the roles. */
export async function startStack(given: StackOptions = {}): Promise<LocalStack> {
  const { file = NO_FILE } = given;
  const { parts: _, ...all } = file;
  const started = await start({ ...given, file: all });
  const { loadBalancer, identityProvider, agentCoreIdentity, bedrock, s3, account } = started.stack;
  return {
    ...started.stack,
    loadBalancer: required(loadBalancer),
    identityProvider: required(identityProvider),
    agentCoreIdentity: required(agentCoreIdentity),
    bedrock: required(bedrock),
    s3: required(s3),
    account: required(account),
    gitHub: required(started.stack.providers.get('github')),
    gitHubCallbacks: started.callbacks.of('github'),
  };
}

/** Starts the parts that the file of the stack names, or all, and connects those to each other. */
export async function startParts(given: StackOptions = {}): Promise<PartialStack> {
  return (await start(given)).stack;
}

async function start(
  given: StackOptions,
): Promise<{ readonly stack: PartialStack; readonly callbacks: Callbacks }> {
  const recorder = given.inspect === true ? new Recorder() : undefined;
  const clock = { offsetMs: 0 };
  const { now = Date.now, file = NO_FILE } = given;
  const options: StartOptions = {
    ...given,
    file,
    now: () => now() + clock.offsetMs,
    ...(recorder !== undefined && { recorder }),
  };
  const callbacks = new Callbacks();
  const started: Part[] = [];
  const keep = <T extends Part>(part: T): T => {
    started.push(part);
    return part;
  };
  try {
    const parts = await startEach(options, callbacks, keep);
    const inspector = recorder === undefined ? undefined : inspectorOf(recorder, parts);
    const common = {
      clock,
      environment: (owner: EnvironmentOwner) => environmentOf(owner, parts),
      reset: async () => {
        clock.offsetMs = 0;
        fillCallbacks(callbacks, parts);
        await Promise.all(started.map((part) => part.reset()));
      },
    };
    const control = { ...common, parts, recorder, now: options.now };
    const faultBoard = keep(
      await startFaultBoard(parts, place(options, 'board', BOARD_OFFSET), { control, inspector }),
    );
    const stack: PartialStack = {
      ...parts,
      ...common,
      faultBoard,
      hasInspector: inspector !== undefined,
      ...(recorder !== undefined && { recorder }),
      close: () => closeAll(started),
    };
    return { stack, callbacks };
  } catch (error) {
    await closeAll(started);
    throw error;
  }
}

type Keep = <T extends Part>(part: T) => T;

async function startEach(options: StartOptions, callbacks: Callbacks, keep: Keep): Promise<StartedParts> {
  const { file } = options;
  const chosen: readonly PartName[] = file.parts ?? PART_NAMES;
  const only = async <T extends Part>(name: PartName, begin: () => Promise<T>): Promise<T | undefined> =>
    chosen.includes(name) ? keep(await begin()) : undefined;
  const loadBalancer = await only('loadBalancer', () => startFront(options));
  const identityProvider = await only('identityProvider', () => startTenant(options, loadBalancer?.url));
  if (loadBalancer !== undefined) {
    const issuer = file.loadBalancer.issuer ?? identityProvider?.url;
    if (issuer === undefined)
      throw new Error(
        'The load balancer needs the part identityProvider, or an issuer: loadBalancer.issuer.',
      );
    loadBalancer.useIssuer(issuer);
    loadBalancer.register({ agent: [], 'session-binding': [], ...file.loadBalancer.targets });
  }
  const providers = chosen.includes('providers')
    ? await startProviders(options, callbacks, keep)
    : new Map<string, LocalProvider>();
  const agentCoreIdentity = await only('agentCoreIdentity', () =>
    startIdentityService(options, providers, loadBalancer?.url),
  );
  const bedrock = await only('bedrock', () => startModel(options));
  const s3 = await only('s3', () => startStorage(options));
  const account = await only('account', () => startAccountPart(options));
  const parts: StartedParts = {
    providers,
    ...(loadBalancer !== undefined && { loadBalancer }),
    ...(identityProvider !== undefined && { identityProvider }),
    ...(agentCoreIdentity !== undefined && { agentCoreIdentity }),
    ...(bedrock !== undefined && { bedrock }),
    ...(s3 !== undefined && { s3 }),
    ...(account !== undefined && { account }),
  };
  fillCallbacks(callbacks, parts);
  return parts;
}

async function startProviders(
  options: StartOptions,
  callbacks: Callbacks,
  keep: Keep,
): Promise<ReadonlyMap<string, LocalProvider>> {
  const providers = new Map<string, LocalProvider>();
  for (const [index, row] of [...PROVIDERS, ...(options.furtherProviders ?? [])].entries()) {
    // The first provider has a fixed port among the eleven.
    const offset = index === 0 ? 3 : 10 + index;
    providers.set(row.id, keep(await startOneProvider(options, row, offset, callbacks)));
  }
  return providers;
}

function fillCallbacks(callbacks: Callbacks, { agentCoreIdentity }: StartedParts): void {
  if (agentCoreIdentity !== undefined) callbacks.fill(agentCoreIdentity.url);
}

/** The attacks that the inspector plays need all parts of the flow. */
function inspectorOf(recorder: Recorder, parts: StartedParts): Inspector | undefined {
  const { loadBalancer, identityProvider, agentCoreIdentity } = parts;
  if (loadBalancer === undefined || identityProvider === undefined || agentCoreIdentity === undefined)
    return undefined;
  return new Inspector(recorder, { loadBalancer, identityProvider, agentCoreIdentity });
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a part of the stack is missing');
  return value;
}

async function closeAll(parts: readonly Part[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()));
}
