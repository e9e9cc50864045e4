import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AwsCall } from '../lib/aws-call.ts';
import { FaultSwitch } from '../lib/faults.ts';
import { readBody, sendJson, serve, urlOf } from '../lib/http.ts';
import type { Listen, Part } from '../lib/part.ts';
import { signerOf } from '../lib/sigv4.ts';
import { authorize, callback } from './browser-pages.ts';
import { accessDenied, ServiceError } from './errors.ts';
import { CONTROL_OPERATIONS } from './control-plane.ts';
import { Members } from './members.ts';
import type { CredentialProvider } from './oauth-client.ts';
import { OPERATIONS, type OperationContext, type Workload } from './operations.ts';
import { UserTokens, type TrustedIssuer } from './user-tokens.ts';
import { Vault } from './vault.ts';

const ALL_OPERATIONS = { ...OPERATIONS, ...CONTROL_OPERATIONS };

export interface AgentCoreIdentityOptions extends Listen {
  readonly workloads: readonly Workload[];
  readonly credentialProviders: readonly CredentialProvider[];
  readonly apiKeys?: Readonly<Record<string, string>>;
  readonly trustedIssuers?: readonly TrustedIssuer[];
  /** The operations that an access key may call, like the policy of its role; a key that is not listed may call all. */
  readonly policies?: Readonly<Record<string, readonly string[]>>;
  readonly now?: () => number;
  readonly stateFile?: string;
}

export interface Call extends AwsCall {
  readonly operation: string;
  readonly status: number;
}

/** Behaviour that AWS does not document. A client must be safe with both settings. */
export interface Behaviour {
  /** Whether an authorization URL still redirects to the provider after the provider has answered. */
  sessionsOpenAgain: boolean;
}

export interface LocalAgentCoreIdentity extends Part {
  readonly vault: Vault;
  readonly behaviour: Behaviour;
  /** The registrations. Tests can change them, and `reset` restores them. */
  readonly workloads: Workload[];
  readonly credentialProviders: CredentialProvider[];
  /** Every call that was answered, for tests. */
  readonly calls: readonly Call[];
}

/**
 * Amazon Bedrock AgentCore Identity: the operations of the data plane for workload access tokens, OAuth 2.0 tokens, API keys
 * and session binding, the `Get` operations of the control plane, and the two addresses that the user's browser passes
 * through.
 */
export async function startAgentCoreIdentity(
  options: AgentCoreIdentityOptions,
): Promise<LocalAgentCoreIdentity> {
  const faults = new FaultSwitch();
  const vault = new Vault(options.stateFile);
  const calls: Call[] = [];
  const workloads = [...options.workloads];
  const credentialProviders = [...options.credentialProviders];
  const behaviour: Behaviour = { sessionsOpenAgain: false };
  const context: OperationContext = {
    behaviour,
    url: () => serving.url,
    now: options.now ?? Date.now,
    vault,
    userTokens: new UserTokens(options.trustedIssuers ?? []),
    workloads,
    credentialProviders,
    apiKeys: options.apiKeys ?? {},
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
    workloads,
    credentialProviders,
    calls,
    close: () => serving.close(),
    reset: () => {
      vault.reset();
      faults.clear();
      calls.length = 0;
      behaviour.sessionsOpenAgain = false;
      workloads.splice(0, workloads.length, ...options.workloads);
      credentialProviders.splice(0, credentialProviders.length, ...options.credentialProviders);
      return Promise.resolve();
    },
  };
}

async function answer(
  context: OperationContext,
  policies: Readonly<Record<string, readonly string[]>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Call> {
  const [operation, run] = ALL_OPERATIONS[urlOf(request).pathname] ?? ['unknown', undefined];
  const accessKeyId = signerOf(request, 'bedrock-agentcore') ?? '';
  const requestId = { 'x-amzn-requestid': randomUUID() };
  const about = { operation, accessKeyId, action: `bedrock-agentcore:${operation}` };
  let target: Readonly<Record<string, string>> = {};
  try {
    const body = (await readBody(request, 512 * 1024)).toString('utf8');
    if (run === undefined || request.method !== 'POST') {
      throw new ServiceError(404, 'UnknownOperationException', 'Unknown operation');
    }
    if (accessKeyId === '') {
      throw new ServiceError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    }
    requirePermission(policies, accessKeyId, operation);
    const members = new Members(body);
    target = targetOf(context, members);
    sendJson(response, 200, await run(context, members), requestId);
    return { ...about, target, status: 200 };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const headers = { ...requestId, 'x-amzn-errortype': error.type };
    sendJson(response, error.status, { message: error.message, ...error.members }, headers);
    return { ...about, target, status: error.status };
  }
}

/** The workload and the credential provider of a call, if its members name them. */
function targetOf({ vault }: OperationContext, members: Members): Readonly<Record<string, string>> {
  const text = (name: string): string | undefined => members.peek(name);
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
