import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AgentIdentityConfig } from '../../config/index.js';
import type { User } from '../sign-in/index.js';
import {
  WorkloadTokenRejectedError,
  type TokenVault,
  type ResourceTokenAnswer,
  type ResourceTokenQuery,
} from './token-vault.js';
import { ResourceTokens } from './resource-tokens.js';
import { WorkloadTokens } from './workload-tokens.js';

class FakeTokenVault implements TokenVault {
  readonly issued: (User | undefined)[] = [];
  readonly queries: ResourceTokenQuery[] = [];
  readonly signals: (AbortSignal | undefined)[] = [];
  readonly dead = new Set<string>();
  answer: ResourceTokenAnswer = { kind: 'token', accessToken: 'provider-token' };

  async workloadAccessToken(_workload: string, user: User | undefined): Promise<string> {
    await Promise.resolve();
    this.issued.push(user);
    return `workload-token-${String(this.issued.length)}`;
  }

  resourceToken(query: ResourceTokenQuery, signal?: AbortSignal): Promise<ResourceTokenAnswer> {
    this.queries.push(query);
    this.signals.push(signal);
    if (this.dead.has(query.workloadAccessToken)) return Promise.reject(new WorkloadTokenRejectedError());
    return Promise.resolve(this.answer);
  }
}

const config = {
  workloadIdentityName: 'workload',
  sessionBindingUrl: 'https://a/oauth2/session-binding',
} as AgentIdentityConfig;
const alice: User = { sub: 'alice' };
const request = { provider: 'github', scopes: ['repo'] };

describe('ResourceTokens', () => {
  let identity: FakeTokenVault;
  let tokens: ResourceTokens;

  beforeEach(() => {
    identity = new FakeTokenVault();
    tokens = new ResourceTokens(identity, new WorkloadTokens(identity, config), config);
  });

  it('returns a token for exactly the requested scopes', async () => {
    expect(await tokens.get(alice, request)).toEqual({ kind: 'token', accessToken: 'provider-token' });
    expect(identity.queries[0]).toMatchObject({
      provider: 'github',
      scopes: ['repo'],
      flow: 'USER_FEDERATION',
      returnUrl: config.sessionBindingUrl,
      forceAuthentication: false,
      customParameters: {},
    });
  });

  it('waits no longer than its caller', async () => {
    const { signal } = new AbortController();
    await tokens.get(alice, { ...request, signal });
    expect(identity.signals).toEqual([signal]);
    const ended = tokens.get({ sub: 'bob' }, { ...request, signal: AbortSignal.abort() });
    await expect(ended).rejects.toMatchObject({ reason: 'aborted' });
  });

  it('passes on the options of the caller', async () => {
    const chosen = {
      returnUrl: 'https://b/',
      forceAuthentication: true,
      customState: 's',
      customParameters: { prompt: 'consent' },
    };
    await tokens.get(alice, { ...request, ...chosen });
    expect(identity.queries[0]).toMatchObject(chosen);
  });

  it('returns the data for a consent, with a new state each time', async () => {
    identity.answer = { kind: 'authorization_required', authorizationUrl: 'https://x', sessionUri: 'urn:x' };
    const [one, two] = [await tokens.get(alice, request), await tokens.get(alice, request)];
    if (one.kind !== 'authorization_required' || two.kind !== 'authorization_required')
      throw new Error('a token');
    expect(one).toMatchObject({ authorizationUrl: 'https://x', sessionUri: 'urn:x' });
    expect(one.customState).toMatch(/^[\w-]{43}$/);
    expect(one.customState).not.toBe(two.customState);
    const lifetimeMs = one.expiresAt - Date.now();
    expect(lifetimeMs).toBeGreaterThan(9.9 * 60_000);
    expect(lifetimeMs).toBeLessThanOrEqual(10 * 60_000);
  });

  it('fetches a workload access token once for parallel calls, and one for each user', async () => {
    await Promise.all([
      tokens.get(alice, request),
      tokens.get(alice, request),
      tokens.get({ sub: 'bob' }, request),
    ]);
    await tokens.get(alice, request);
    expect(identity.issued.map((user) => user?.sub)).toEqual(['alice', 'bob']);
  });

  it('keeps the tokens of two user tokens of the same user separate', async () => {
    await tokens.get({ sub: 'alice', userToken: 'one' }, request);
    await tokens.get({ sub: 'alice', userToken: 'two' }, request);
    await tokens.get({ sub: 'alice', userToken: 'two' }, request);
    expect(identity.issued).toHaveLength(2);
  });

  it('acts for the workload itself in a machine-to-machine flow', async () => {
    await tokens.get(alice, { ...request, flow: 'M2M' });
    expect(identity.issued).toEqual([undefined]);
    expect(identity.queries).toMatchObject([{ flow: 'M2M', workloadAccessToken: 'workload-token-1' }]);
  });

  it('replaces a rejected workload access token once', async () => {
    identity.dead.add('workload-token-1');
    expect(await tokens.get(alice, request)).toMatchObject({ kind: 'token' });
    expect(identity.issued).toHaveLength(2);
    identity.dead.add('workload-token-2').add('workload-token-3');
    await expect(tokens.get(alice, request)).rejects.toMatchObject({
      code: 'identity_unavailable',
      reason: 'workload_token_rejected_twice',
      cause: expect.any(WorkloadTokenRejectedError),
    });
    expect(identity.issued).toHaveLength(3);
  });

  it('replaces it once for parallel calls', async () => {
    await tokens.get(alice, request);
    identity.dead.add('workload-token-1');
    const both = await Promise.all([
      tokens.get(alice, request),
      tokens.get(alice, { ...request, scopes: ['read:user'] }),
    ]);
    expect(both.map(({ kind }) => kind)).toEqual(['token', 'token']);
    expect(identity.issued).toHaveLength(2);
  });

  it('passes other failures on unchanged', async () => {
    const failure = new Error('other');
    identity.resourceToken = () => Promise.reject(failure);
    await expect(tokens.get(alice, request)).rejects.toBe(failure);
  });
});
