import {
  AccessDeniedException,
  BedrockAgentCoreClient,
  InternalServerException,
  ResourceNotFoundException,
  ThrottlingException,
  UnauthorizedException,
  ValidationException,
} from '@aws-sdk/client-bedrock-agentcore';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openCircuit } from '../../common/circuit/testing/open-circuit.js';
import { timeoutsOf } from '../../common/testing/request-handler.js';
import { recordedLog, type LoggedLine } from '../../common/logging/testing/recorded-log.js';
import type { IdentityConfig } from '../../config/index.js';
import type { User } from '../sign-in/index.js';
import { TokenVaultAdapter } from './token-vault.adapter.js';
import { WorkloadTokenRejectedError, type ResourceTokenQuery } from './token-vault.js';

const alice: User = { sub: 'alice' };
const withToken: User = { sub: 'alice', userToken: 'user-token' };
const query: ResourceTokenQuery = {
  workloadAccessToken: 'workload-token',
  provider: 'github',
  scopes: ['repo'],
  flow: 'USER_FEDERATION',
  returnUrl: 'https://a.example/oauth2/session-binding',
  forceAuthentication: true,
  customState: 's',
  customParameters: { prompt: 'consent' },
};
const $metadata = { requestId: 'aws-1' };
const denied = (message: string): AccessDeniedException => new AccessDeniedException({ message, $metadata });
const unauthorized = new UnauthorizedException({ message: 'no', $metadata });

interface Agents {
  readonly httpsAgent: { readonly keepAlive: boolean };
}

/** The options that the adapter passes to the SDK. */
interface Sent {
  readonly client: BedrockAgentCoreClient;
  readonly name: string;
  readonly input: unknown;
  readonly options: unknown;
}

describe('TokenVaultAdapter', () => {
  let sent: Sent[];
  let answer: () => Promise<object>;
  let log: readonly LoggedLine[];
  let adapter: TokenVaultAdapter;

  beforeEach(() => {
    sent = [];
    log = recordedLog();
    const send = function (
      this: BedrockAgentCoreClient,
      command: { readonly input: unknown },
      options: unknown,
    ) {
      sent.push({ client: this, name: command.constructor.name, input: command.input, options });
      return answer();
    };
    jest.spyOn(BedrockAgentCoreClient.prototype, 'send').mockImplementation(send as never);
    adapter = new TokenVaultAdapter({
      region: 'eu-west-1',
      authorizationOrigin: 'https://identity.example',
      deadlineMs: 200,
    } as IdentityConfig);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('fails at once while the service is down', async () => {
    answer = () => Promise.reject(Object.assign(new Error(), { $metadata: { httpStatusCode: 500 } }));
    await openCircuit(() => adapter.workloadAccessToken('workload', alice));
    await expect(adapter.resourceToken(query)).rejects.toMatchObject({
      code: 'identity_unavailable',
      cause: { name: 'CircuitOpenError' },
    });
    expect(sent).toHaveLength(5);
  });

  const answers = (value: object): void => {
    answer = () => Promise.resolve({ $metadata, ...value });
  };
  const fails = (error: Error): void => {
    answer = () => Promise.reject(error);
  };
  const operations: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['GetWorkloadAccessToken', () => adapter.workloadAccessToken('workload', undefined)],
    ['GetWorkloadAccessToken', () => adapter.workloadAccessToken('workload', alice)],
    ['GetWorkloadAccessTokenForJWT', () => adapter.workloadAccessToken('workload', withToken)],
    ['GetResourceOauth2Token', () => adapter.resourceToken(query)],
  ];

  it.each([
    ['the workload', undefined, 'GetWorkloadAccessTokenCommand', {}],
    ['a user', alice, 'GetWorkloadAccessTokenForUserIdCommand', { userId: 'alice' }],
    ['a user token', withToken, 'GetWorkloadAccessTokenForJWTCommand', { userToken: 'user-token' }],
  ])('fetches a workload access token for %s', async (_name, user, name, more) => {
    answers({ workloadAccessToken: 'workload-token' });
    expect(await adapter.workloadAccessToken('workload', user)).toBe('workload-token');
    expect(sent).toMatchObject([{ name }]);
    expect(sent[0]?.input).toStrictEqual({ workloadName: 'workload', ...more });
  });

  it('requests a provider token for a user', async () => {
    answers({ accessToken: 'provider-token' });
    expect(await adapter.resourceToken(query)).toStrictEqual({
      kind: 'token',
      accessToken: 'provider-token',
      awsRequestId: 'aws-1',
    });
    expect(sent).toMatchObject([{ name: 'GetResourceOauth2TokenCommand' }]);
    expect(sent[0]?.input).toStrictEqual({
      workloadIdentityToken: 'workload-token',
      resourceCredentialProviderName: 'github',
      scopes: ['repo'],
      oauth2Flow: 'USER_FEDERATION',
      resourceOauth2ReturnUrl: 'https://a.example/oauth2/session-binding',
      forceAuthentication: true,
      customState: 's',
      customParameters: { prompt: 'consent' },
    });
  });

  it('requests a provider token for the workload, without a return URL', async () => {
    answers({ accessToken: 'provider-token' });
    await adapter.resourceToken({ ...query, flow: 'M2M' });
    expect(sent[0]?.input).toStrictEqual({
      workloadIdentityToken: 'workload-token',
      resourceCredentialProviderName: 'github',
      scopes: ['repo'],
      oauth2Flow: 'M2M',
    });
  });

  it('returns the data for a consent', async () => {
    answers({ authorizationUrl: 'https://identity.example/authorize', sessionUri: 'urn:x' });
    expect(await adapter.resourceToken(query)).toStrictEqual({
      kind: 'authorization_required',
      authorizationUrl: 'https://identity.example/authorize',
      sessionUri: 'urn:x',
      awsRequestId: 'aws-1',
    });
  });

  it('tries again', async () => {
    answers({ workloadAccessToken: 'w', accessToken: 'a' });
    for (const [, call] of operations) await call();
    const attempts = await Promise.all(sent.map(({ client }) => client.config.maxAttempts()));
    expect(attempts).toEqual([3, 3, 3, 3]);
  });

  it('keeps connections open', async () => {
    answers({ workloadAccessToken: 'w', accessToken: 'a' });
    for (const [, call] of operations) await call();
    const kept = await Promise.all(
      sent.map(async ({ client }) => {
        const { httpsAgent } = (await timeoutsOf(client.config.requestHandler)) as Agents;
        return httpsAgent.keepAlive;
      }),
    );
    expect(kept).toEqual([true, true, true, true]);
  });

  it('calls the configured region, with a time limit', async () => {
    answers({ workloadAccessToken: 'w', accessToken: 'a' });
    for (const [, call] of operations) await call();
    for (const { client } of sent) {
      expect(await client.config.region()).toBe('eu-west-1');
      expect(await timeoutsOf(client.config.requestHandler)).toMatchObject({
        connectionTimeout: 2_000,
        requestTimeout: 8_000,
        throwOnRequestTimeout: true,
      });
    }
  });

  it.each<[string, () => Promise<unknown>, object, string]>([
    [
      'no workload access token',
      () => adapter.workloadAccessToken('workload', alice),
      {},
      'no_workload_token',
    ],
    ['nothing', () => adapter.resourceToken(query), {}, 'neither_token_nor_authorization_url'],
    [
      'an address without a session',
      () => adapter.resourceToken(query),
      { authorizationUrl: 'https://x' },
      'neither_token_nor_authorization_url',
    ],
    [
      'a session without an address',
      () => adapter.resourceToken(query),
      { sessionUri: 'urn:x' },
      'neither_token_nor_authorization_url',
    ],
  ])('fails on an answer with %s', async (_name, call, value, reason) => {
    answers(value);
    await expect(call()).rejects.toMatchObject({ code: 'identity_unavailable', reason });
    expect(log).toMatchObject([{ level: 'error', fields: { event: 'identity_call_failed', reason } }]);
  });

  it.each([
    'https://evil.example/authorize',
    'http://identity.example/authorize',
    'https://identity.example.evil.example/',
    'nowhere',
  ])('returns no address of another origin: %s', async (authorizationUrl) => {
    answers({ authorizationUrl, sessionUri: 'urn:x' });
    await expect(adapter.resourceToken(query)).rejects.toMatchObject({
      code: 'identity_misconfigured',
      reason: 'authorization_url_of_another_origin',
    });
    expect(log).toMatchObject([{ fields: { reason: 'authorization_url_of_another_origin' } }]);
    expect(JSON.stringify(log)).not.toContain(authorizationUrl);
  });

  it('reports a workload access token that the service rejects', async () => {
    fails(unauthorized);
    const error: unknown = await adapter.resourceToken(query).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkloadTokenRejectedError);
    expect(error).toMatchObject({ cause: unauthorized });
    expect(log).toEqual([]);
  });

  it('reports a user token that the service refuses', async () => {
    fails(unauthorized);
    await expect(adapter.workloadAccessToken('workload', withToken)).rejects.toMatchObject({
      code: 'unauthenticated',
      reason: 'user_token_refused',
      cause: unauthorized,
    });
    expect(log).toEqual([]);
  });

  const options = { message: 'SECRET', $metadata };
  const faults: readonly (readonly [Error, string])[] = [
    [denied('User: x is NOT authorized to perform: y'), 'identity_misconfigured'],
    [unauthorized, 'identity_misconfigured'],
    [new ValidationException({ ...options, reason: 'CannotParse' }), 'identity_misconfigured'],
    [new ResourceNotFoundException(options), 'identity_misconfigured'],
    [new ThrottlingException(options), 'identity_unavailable'],
    [new InternalServerException(options), 'identity_unavailable'],
    [new Error('SECRET'), 'identity_unavailable'],
  ];
  const all = operations.flatMap(([operation, call], index) =>
    faults.map(([fault, code]) => [operation, index, fault.name, code, call, fault] as const),
  );
  const handled = new Set(['GetResourceOauth2Token', 'GetWorkloadAccessTokenForJWT']);
  it.each(all.filter(([operation, , , , , fault]) => fault !== unauthorized || !handled.has(operation)))(
    'maps a failure, %s (%i): %s becomes %s',
    async (operation, _index, name, code, call, fault) => {
      fails(fault);
      await expect(call()).rejects.toMatchObject({ code, reason: operation, cause: fault });
      expect(log).toMatchObject([
        {
          level: 'error',
          context: 'AgentCoreIdentity',
          fields: { event: 'identity_call_failed', operation, code, error: name },
        },
      ]);
      expect(JSON.stringify(log)).not.toContain('SECRET');
    },
  );

  const never = (): Promise<never> => new Promise(() => undefined);

  it.each(operations)('%s ends at its deadline', async (operation, call) => {
    answer = never;
    await expect(call()).rejects.toMatchObject({
      code: 'identity_unavailable',
      reason: operation,
      cause: { name: 'DeadlineError' },
    });
    expect(sent[0]?.options).toMatchObject({ abortSignal: { aborted: true } });
  });

  it('ends when its caller has gone, which is no fault', async () => {
    answer = never;
    const caller = new AbortController();
    const waiting = adapter.resourceToken(query, caller.signal);
    const reason = new Error('gone');
    caller.abort(reason);
    await expect(waiting).rejects.toMatchObject({
      code: 'identity_unavailable',
      reason: 'aborted',
      cause: reason,
    });
    expect(sent[0]?.options).toMatchObject({ abortSignal: { aborted: true } });
    expect(log).toEqual([]);
  });

  it('closes its connections at the end', async () => {
    answers({ workloadAccessToken: 'w', accessToken: 'a' });
    for (const [, call] of operations) await call();
    const clients = new Set(sent.map(({ client }) => client));
    const destroyed = [...clients].map((client) => jest.spyOn(client, 'destroy'));
    adapter.onApplicationShutdown();
    expect(destroyed).toHaveLength(1);
    for (const destroy of destroyed) expect(destroy).toHaveBeenCalledTimes(1);
  });
});
