import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Audit } from '../audit/index.js';
import { recordedAudit, type RecordedLine } from '../audit/testing/recorded-audit.js';
import { testApp } from '../common/http/testing/app.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import { ConnectionsController } from './connections.controller.js';
import { Connections } from './connections.js';
import { connectionList } from './connections.schemas.js';
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
};

describe('the connections over HTTP', () => {
  let connections: Connections;
  let app: NestFastifyApplication;
  let trail: readonly RecordedLine[];

  beforeEach(async () => {
    connections = new Connections(new MemoryStore());
    const recorded = recordedAudit();
    trail = recorded.lines;
    app = await testApp(
      {
        controllers: [ConnectionsController],
        providers: [
          { provide: ToolRegistry, useValue: { providers: () => [parrot] } },
          { provide: Connections, useValue: connections },
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

  it('tell what each provider is for, before it is used', async () => {
    await connections.record('bob', 'parrot', { id: '1', login: 'bob-octo' }, undefined);
    expect(await list()).toEqual({ connections: [view] });
    expect(trail).toMatchObject([{ event: 'connections_listed', user: 'alice' }]);
  });

  it("tell the user's account, without its id", async () => {
    await connections.record(
      'alice',
      'parrot',
      { id: '1', login: 'alice-octo', scopes: ['speak'] },
      undefined,
    );
    const account = { login: 'alice-octo', scopes: ['speak'], knownAt: expect.any(String) as unknown };
    expect(await list()).toEqual({ connections: [{ ...view, account }] });
  });
});
