import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AwsCall } from '../lib/aws-call.ts';
import { AwsModel, type OperationModel } from '../lib/aws-model.ts';
import { FaultSwitch } from '../lib/faults.ts';
import { BodyTooLarge, readBody, sendJson, serve, urlOf } from '../lib/http.ts';
import type { Listen, Part } from '../lib/part.ts';
import { signerOf } from '../lib/sigv4.ts';
import { authorize, callback } from './browser-pages.ts';
import { behaviourOf, type Behaviour } from './behaviour.ts';
import { CONTROL_OPERATIONS, type ControlContext } from './control-plane.ts';
import type { VendorEndpoints } from './credential-providers.ts';
import { accessDenied, ServiceError, tooLarge, violated } from './errors.ts';
import { Members } from './members.ts';
import type { CredentialProvider } from './oauth-client.ts';
import { OPERATIONS, type Operation, type OperationContext } from './operations.ts';
import { Registry, type Workload } from './registry.ts';
import { UserTokens, type TrustedIssuer } from './user-tokens.ts';
import { Vault } from './vault.ts';

const ALL_OPERATIONS: Readonly<Record<string, Operation<ControlContext>>> = {
  ...OPERATIONS,
  ...CONTROL_OPERATIONS,
};
/** The data plane and the control plane, which AWS has at two addresses. */
const MODELS = [new AwsModel('bedrock-agentcore'), new AwsModel('bedrock-agentcore-control')] as const;
const MAXIMUM_BODY = 512 * 1024;

export interface AgentCoreIdentityOptions extends Listen {
  readonly workloads: readonly Workload[];
  readonly credentialProviders: readonly CredentialProvider[];
  readonly apiKeys?: Readonly<Record<string, string>>;
  readonly trustedIssuers?: readonly TrustedIssuer[];
  /** The operations that an access key may call, like the policy of its role; a key that is not listed may call all. */
  readonly policies?: Readonly<Record<string, readonly string[]>>;
  /** The endpoints of vendors whose configuration does not name them, for credential providers that are created later. */
  readonly vendors?: Readonly<Record<string, VendorEndpoints>>;
  /** Differences from the strict behaviour, where AWS documents none. */
  readonly behaviour?: Partial<Behaviour>;
  readonly now?: () => number;
  readonly stateFile?: string;
}

export interface Call extends AwsCall {
  readonly operation: string;
  readonly status: number;
}

export interface LocalAgentCoreIdentity extends Part {
  readonly vault: Vault;
  /** What AWS does not document. It can be changed, and `reset` restores it. */
  readonly behaviour: Behaviour;
  /** The registrations. They can be changed, and `reset` restores them. */
  readonly registry: Registry;
  /** Every call that was answered, for tests. */
  readonly calls: readonly Call[];
}

/**
 * Amazon Bedrock AgentCore Identity: the data plane for workload access tokens, OAuth 2.0 tokens, API keys and session
 * binding, the control plane for what they need, and the two addresses that the user's browser passes through. Each request
 * is compared with AWS's own model.
 */
export async function startAgentCoreIdentity(
  options: AgentCoreIdentityOptions,
): Promise<LocalAgentCoreIdentity> {
  const faults = new FaultSwitch();
  const vault = new Vault(options.stateFile);
  const calls: Call[] = [];
  const apiKeys = Object.entries(options.apiKeys ?? {}).map(([name, apiKey]) => ({ name, apiKey }));
  const { workloads, credentialProviders } = options;
  const registry = new Registry({ workloads, credentialProviders, apiKeys });
  const initial = { ...behaviourOf('strict'), ...options.behaviour };
  const behaviour = { ...initial };
  const context: ControlContext = {
    behaviour,
    url: () => serving.url,
    now: options.now ?? Date.now,
    vault,
    userTokens: new UserTokens(options.trustedIssuers ?? []),
    registry,
    vendors: options.vendors ?? {},
  };
  const serving = await serve(
    async (request, response) => {
      const { pathname } = urlOf(request);
      if (request.method === 'GET' && pathname === '/identities/oauth2/authorize') {
        authorize(context, request, response);
      } else if (request.method === 'GET' && pathname.startsWith('/identities/oauth2/callback/')) {
        callback(context, request, response);
      } else {
        calls.push(await answer(context, options.policies ?? {}, request, response));
      }
    },
    faults,
    options,
  );
  return {
    url: serving.url,
    faults,
    vault,
    behaviour,
    registry,
    calls,
    close: () => serving.close(),
    reset: () => {
      vault.reset();
      faults.clear();
      calls.length = 0;
      Object.assign(behaviour, initial);
      registry.reset();
      return Promise.resolve();
    },
  };
}

async function answer(
  context: ControlContext,
  policies: Readonly<Record<string, readonly string[]>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Call> {
  const { model, name = 'unknown', operation } = operationOf(request);
  const accessKeyId = signerOf(request, 'bedrock-agentcore') ?? '';
  const requestId = { 'x-amzn-requestid': randomUUID() };
  const about = { operation: name, accessKeyId, action: `bedrock-agentcore:${name}` };
  let target: Readonly<Record<string, string>> = {};
  try {
    const body = await bodyOf(request);
    const run = ALL_OPERATIONS[name];
    if (run === undefined || operation === undefined) {
      throw new ServiceError(404, 'UnknownOperationException', 'Unknown operation');
    }
    if (accessKeyId === '') {
      throw new ServiceError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    }
    requirePermission(policies, accessKeyId, name);
    const members = new Members(body);
    target = targetOf(context, members);
    const violation = model.violation(operation.input, members.values);
    if (violation !== undefined) throw violated(violation);
    const answered = await run(context, members);
    if (operation.status === 204) response.writeHead(204, requestId).end();
    else sendJson(response, operation.status, answered, requestId);
    return { ...about, target, status: operation.status };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const headers = { ...requestId, 'x-amzn-errortype': error.type };
    sendJson(response, error.status, { message: error.message, ...error.members }, headers);
    return { ...about, target, status: error.status };
  }
}

function operationOf(request: IncomingMessage): {
  readonly model: AwsModel;
  readonly name?: string;
  readonly operation?: OperationModel;
} {
  const { pathname } = urlOf(request);
  for (const model of MODELS) {
    const found = model.find(request.method ?? '', pathname);
    if (found !== undefined) return { model, name: found.name, operation: found.model };
  }
  return { model: MODELS[0] };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  try {
    return (await readBody(request, MAXIMUM_BODY)).toString('utf8');
  } catch (error) {
    throw error instanceof BodyTooLarge ? tooLarge() : error;
  }
}

/** The workload and the credential provider of a call, if its members name them. */
function targetOf({ vault }: OperationContext, members: Members): Readonly<Record<string, string>> {
  const text = (name: string): string | undefined => members.optionalText(name);
  const session = vault.session(text('sessionUri') ?? '');
  const workload =
    text('workloadName') ??
    vault.workloadToken(text('workloadIdentityToken') ?? '')?.workload ??
    session?.workload;
  const provider = text('resourceCredentialProviderName') ?? session?.provider;
  return { ...(workload !== undefined && { workload }), ...(provider !== undefined && { provider }) };
}

function requirePermission(
  policies: Readonly<Record<string, readonly string[]>>,
  accessKeyId: string,
  operation: string,
): void {
  const allowed = policies[accessKeyId];
  if (allowed !== undefined && !allowed.includes(operation)) {
    throw accessDenied(
      `User: ${accessKeyId} is not authorized to perform: bedrock-agentcore:${operation} because no identity-based policy allows it`,
    );
  }
}
