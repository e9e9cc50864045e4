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
import { recordedLog, type LoggedLine } from '../../common/logging/testing/recorded-log.js';
import { timeoutsOf } from '../../common/testing/request-handler.js';
import type { IdentityConfig } from '../../config/index.js';
import type { User } from '../sign-in/index.js';
import { AuthorizationCompletionAdapter } from './authorization-completion.adapter.js';

const alice: User = { sub: 'alice' };
const $metadata = { requestId: 'aws-1' };
const denied = (message: string): AccessDeniedException => new AccessDeniedException({ message, $metadata });

describe('AuthorizationCompletionAdapter', () => {
  let clients: BedrockAgentCoreClient[];
  /** The options of each call. */
  let options: unknown[];
  let sent: { readonly name: string; readonly input: unknown }[];
  let answer: () => Promise<object>;
  let log: readonly LoggedLine[];
  let adapter: AuthorizationCompletionAdapter;

  beforeEach(() => {
    clients = [];
    sent = [];
    log = recordedLog();
    options = [];
    const send = function (
      this: BedrockAgentCoreClient,
      command: { readonly input: unknown },
      given: unknown,
    ) {
      clients.push(this);
      options.push(given);
      sent.push({ name: command.constructor.name, input: command.input });
      return answer();
    };
    jest.spyOn(BedrockAgentCoreClient.prototype, 'send').mockImplementation(send as never);
    adapter = new AuthorizationCompletionAdapter({ region: 'eu-west-1', deadlineMs: 200 } as IdentityConfig);
    answer = () => Promise.resolve({ $metadata });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('fails at once while the service is down', async () => {
    answer = () => Promise.reject(Object.assign(new Error(), { $metadata: { httpStatusCode: 500 } }));
    await openCircuit(() => adapter.complete('urn:session', alice));
    await expect(adapter.complete('urn:session', alice)).rejects.toMatchObject({
      code: 'identity_unavailable',
      cause: { name: 'CircuitOpenError' },
    });
    expect(sent).toHaveLength(5);
  });

  it.each([
    [alice, { userId: 'alice' }],
    [{ sub: 'alice', userToken: 'user-token' }, { userToken: 'user-token' }],
  ])('completes for the user %j', async (user, userIdentifier) => {
    expect(await adapter.complete('urn:x', user)).toStrictEqual({ kind: 'completed', awsRequestId: 'aws-1' });
    expect(sent).toStrictEqual([
      { name: 'CompleteResourceTokenAuthCommand', input: { sessionUri: 'urn:x', userIdentifier } },
    ]);
  });

  it('tries once, over a new connection, in the configured region, for a limited time', async () => {
    await adapter.complete('urn:x', alice);
    const [client] = clients;
    expect(await client?.config.maxAttempts()).toBe(1);
    expect(await client?.config.region()).toBe('eu-west-1');
    expect(await timeoutsOf(client?.config.requestHandler)).toMatchObject({
      connectionTimeout: 2_000,
      requestTimeout: 8_000,
      throwOnRequestTimeout: true,
      httpsAgent: { keepAlive: false },
    });
  });

  it.each(['Invalid or expired session', ''])(
    'reports a session that the service rejects: %j',
    async (message) => {
      answer = () => Promise.reject(denied(message));
      expect(await adapter.complete('urn:x', alice)).toStrictEqual({
        kind: 'rejected',
        awsRequestId: 'aws-1',
      });
      expect(log).toEqual([]);
    },
  );

  const details = { message: 'SECRET', $metadata };
  it.each<[Error, string]>([
    [denied('User: x is NOT authorized to perform: y'), 'identity_misconfigured'],
    [new UnauthorizedException(details), 'identity_misconfigured'],
    [new ValidationException({ ...details, reason: 'CannotParse' }), 'identity_misconfigured'],
    [new ResourceNotFoundException(details), 'identity_misconfigured'],
    [new ThrottlingException(details), 'identity_unavailable'],
    [new InternalServerException(details), 'identity_unavailable'],
    [new Error('SECRET'), 'identity_unavailable'],
  ])('maps a failure: %s becomes %s', async (fault, code) => {
    answer = () => Promise.reject(fault);
    const operation = 'CompleteResourceTokenAuth';
    await expect(adapter.complete('urn:x', alice)).rejects.toMatchObject({
      code,
      reason: operation,
      cause: fault,
    });
    expect(log).toMatchObject([
      {
        level: 'error',
        context: 'AgentCoreIdentity',
        fields: { event: 'identity_call_failed', operation, code, error: fault.name },
      },
    ]);
    expect(JSON.stringify(log)).not.toContain('SECRET');
  });

  it('ends at its deadline', async () => {
    answer = () => new Promise(() => undefined);
    await expect(adapter.complete('urn:x', alice)).rejects.toMatchObject({
      code: 'identity_unavailable',
      cause: { name: 'DeadlineError' },
    });
    expect(options).toMatchObject([{ abortSignal: { aborted: true } }]);
  });

  it('reports a user token that the service refuses', async () => {
    const fault = new UnauthorizedException(details);
    answer = () => Promise.reject(fault);
    await expect(adapter.complete('urn:x', { sub: 'alice', userToken: 'TOKEN' })).rejects.toMatchObject({
      code: 'unauthenticated',
      reason: 'user_token_refused',
    });
  });

  it('closes its connections at the end', async () => {
    await adapter.complete('urn:x', alice);
    const destroyed = clients.map((client) => jest.spyOn(client, 'destroy'));
    adapter.onApplicationShutdown();
    expect(destroyed).toHaveLength(1);
    for (const destroy of destroyed) expect(destroy).toHaveBeenCalledTimes(1);
  });
});
