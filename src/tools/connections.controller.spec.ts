import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { Audit } from '../audit/index.js';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { AppError } from '../common/errors/index.js';
import { testApp } from '../common/http/testing/app.js';
import { FLOW_CONFIG } from '../config/index.js';
import { RevocationTickets } from '../identity/flow/index.js';
import { ResourceTokens, type ResourceToken } from '../identity/token-vault/index.js';
import { Receipts } from '../receipts/index.js';
import type { AgentToolOptions } from './agent-tool.decorator.js';
import { ConnectionsController } from './connections.controller.js';
import { Connections, type Rule } from './connections.js';
import { connectionList, disconnected } from './connections.schemas.js';
import { Disconnection } from './disconnection.js';
import { LastUses } from './last-uses.js';
import { Latch } from './latch.js';
import { Rules } from './rules.js';
import { toolServices, type ToolServices } from './testing/tool-services.js';
import { ToolRegistry } from './tool-registry.js';

const parrot = {
  provider: {
    id: 'parrot',
    label: 'Parrot',
    settingsUrl: 'https://parrot.example/settings',
    scopes: { speak: 'Speak', shout: { allows: 'Shout', why: 'It is far away.' } },
  },
  tools: [
    { name: 'say', title: 'Say a word', effect: 'write', access: { provider: 'parrot', scopes: ['speak'] } },
  ],
  config: { credentialProvider: 'parrot-cp', apiBase: 'https://parrot.example', deadlineMs: 1 },
};
const view = {
  provider: 'parrot',
  label: 'Parrot',
  settingsUrl: 'https://parrot.example/settings',
  scopes: [
    { scope: 'speak', allows: 'Speak' },
    { scope: 'shout', allows: 'Shout', why: 'It is far away.' },
  ],
  tools: [{ name: 'say', title: 'Say a word', effect: 'write', scopes: ['speak'] }],
  rules: [],
};
const flow = {
  secret: '0123456789abcdef'.repeat(2),
  acceptedSecrets: [],
  publicUrl: 'https://agent.example',
  authorizationOrigin: 'https://identity.example',
};
const ALICE = { id: '1', login: 'alice-octo', scopes: ['speak'] };

describe('the connections over HTTP', () => {
  let services: ToolServices;
  let app: NestFastifyApplication;
  let trail: readonly RecordedLine[];
  /** What the vault answers; an error where it does not. */
  let vault: () => ResourceToken;
  let isRevocable: boolean;
  const tickets = new RevocationTickets(flow);

  beforeEach(async () => {
    const recorded = recordedAudit();
    trail = recorded.lines;
    [vault, isRevocable] = [() => ({ kind: 'token', accessToken: 'gho_1' }), true];
    const tokens = { get: () => Promise.resolve().then(vault) };
    services = toolServices(tokens, recorded.audit);
    const providers = () => [{ ...parrot, config: { ...parrot.config, isRevocable } }];
    app = await testApp(
      {
        controllers: [ConnectionsController],
        providers: [
          Disconnection,
          { provide: ToolRegistry, useValue: { providers } },
          { provide: Connections, useValue: services.connections },
          { provide: Latch, useValue: services.latch },
          { provide: Rules, useValue: services.rules },
          { provide: LastUses, useValue: services.lastUses },
          { provide: Receipts, useValue: services.receipts },
          { provide: ResourceTokens, useValue: tokens },
          { provide: RevocationTickets, useValue: tickets },
          { provide: FLOW_CONFIG, useValue: flow },
          { provide: Audit, useValue: recorded.audit },
        ],
      },
      { sub: 'alice' },
    );
  });
  afterEach(() => app.close());

  const list = async (): Promise<unknown> => {
    const answer = await app.inject({ url: '/connections' });
    expect(answer.statusCode).toBe(200);
    expect(connectionList.parse(answer.json())).toEqual(answer.json());
    return answer.json();
  };
  const disconnect = async (): Promise<unknown> => {
    const answer = await app.inject({ method: 'DELETE', url: '/connections/parrot' });
    expect(answer.statusCode).toBe(200);
    expect(disconnected.parse(answer.json())).toEqual(answer.json());
    return answer.json();
  };
  const told = async (): Promise<readonly unknown[]> => (await services.receipts.page('alice', 9)).receipts;

  it('tell what each provider is for, before it is used', async () => {
    await services.connections.record('bob', 'parrot', { id: '1', login: 'bob-octo' }, undefined);
    expect(await list()).toEqual({ connections: [view] });
    expect(trail).toMatchObject([{ event: 'connections_listed', user: 'alice' }]);
  });

  it("tell the user's account, without its id, and what used it last", async () => {
    await services.connections.record('alice', 'parrot', ALICE, undefined);
    const at = Date.now() + 1_000;
    services.lastUses.note('alice', 'parrot', { tool: 'say', sessionId: 'one', at });
    const aDate = expect.any(String) as unknown;
    const lastUse = { tool: 'say', sessionId: 'one', at: new Date(at).toISOString() };
    const account = { login: 'alice-octo', scopes: ['speak'], knownAt: aDate, connectedAt: aDate, lastUse };
    expect(await list()).toEqual({ connections: [{ ...view, account }] });
    services.lastUses.note('alice', 'parrot', { ...lastUse, at: 1 });
    expect(await list()).toMatchObject({ connections: [{ account: { login: 'alice-octo' } }] });
  });

  it('are ended: the tokens that still work are sealed for session binding', async () => {
    await services.connections.record('alice', 'parrot', ALICE, undefined);
    const done = (await disconnect()) as { readonly revocation: { readonly ticket: string } };
    expect(done).toMatchObject({
      provider: 'parrot',
      account: 'alice-octo',
      settingsUrl: 'https://parrot.example/settings',
      grant: 'to_revoke',
      revocation: { url: 'https://agent.example/oauth2/revocation' },
    });
    expect(await tickets.open(done.revocation.ticket)).toEqual({
      sub: 'alice',
      provider: 'parrot',
      account: 'alice-octo',
      tokens: ['gho_1'],
    });
    expect(JSON.stringify([done, trail, await told()])).not.toContain('gho_1');
    const [shown] = ((await list()) as { readonly connections: readonly object[] }).connections;
    expect(shown).toEqual({ ...view, disconnectedAt: expect.any(String) as unknown });
    expect(trail).toMatchObject([{ event: 'connection_closed', user: 'alice', tokens: 1 }, {}]);
    expect(await told()).toMatchObject([{ kind: 'disconnected', provider: 'parrot', account: 'alice-octo' }]);
  });

  it.each<[string, () => ResourceToken, string]>([
    [
      'the vault has no token',
      () => ({
        kind: 'authorization_required',
        authorizationUrl: 'https://x',
        sessionUri: 'urn:x',
        customState: 's',
        expiresAt: 1,
      }),
      'none',
    ],
    [
      'the vault does not answer',
      () => {
        throw new AppError('identity_unavailable');
      },
      'unknown',
    ],
  ])('are ended also where %s', async (_name, answer, grant) => {
    vault = answer;
    expect(await disconnect()).toEqual({
      provider: 'parrot',
      settingsUrl: 'https://parrot.example/settings',
      grant,
    });
    expect(await services.latch.admit('alice', 'parrot', ['speak'])).toMatchObject({ isClosed: true });
  });

  it('tell that the user has to end the grant where this deployment cannot', async () => {
    isRevocable = false;
    expect(await disconnect()).not.toHaveProperty('revocation');
    expect(await disconnect()).toMatchObject({ grant: 'by_user' });
  });

  it.each(['/connections/bank', '/connections/..%2fparrot', '/connections/parrot/rules/AAAAAAAAAAAA'])(
    'have nothing to end: %s',
    async (url) => {
      const { statusCode } = await app.inject({ method: 'DELETE', url });
      expect([400, 404]).toContain(statusCode);
      expect(await told()).toEqual([]);
    },
  );

  it('list what the user has allowed, until it is withdrawn', async () => {
    await services.connections.record('alice', 'parrot', ALICE, undefined);
    const call = {
      options: {
        ...parrot.tools[0],
        input: z.strictObject({}),
        output: z.object({}),
        description: '',
      } as AgentToolOptions,
      input: { to: 'bob', word: 'a' },
      sessionId: 'one',
      accountId: '1',
    };
    const ruled = { ...call, options: { ...call.options, allowable: ['to'] } };
    await services.rules.add({ sub: 'alice', runId: 'run' }, ruled);
    await services.rules.add({ sub: 'alice', runId: 'run' }, ruled);
    await services.rules.add({ sub: 'alice', runId: 'run' }, call);
    await services.rules.add({ sub: 'alice', runId: 'run' }, { ...ruled, accountId: '2' });
    const { connections } = (await list()) as {
      readonly connections: readonly { readonly rules: readonly Rule[] }[];
    };
    const rules = connections[0]?.rules ?? [];
    expect(rules).toMatchObject([{ tool: 'say', sessionId: 'one', within: { to: 'bob' } }]);
    const url = `/connections/parrot/rules/${rules[0]?.id ?? ''}`;
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(204);
    expect(await list()).toMatchObject({ connections: [{ rules: [] }] });
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(404);
    expect(await told()).toMatchObject([
      { kind: 'rule_withdrawn' },
      { kind: 'rule_added', within: { to: 'bob' } },
    ]);
  });
});
