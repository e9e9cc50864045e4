import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ProviderModule } from './provider.module.js';
import { OfferedProvider, type Provider } from './provider.js';
import { ProviderApi, type ProviderCallContext } from './index.js';

const answer = z.object({ id: z.string(), login: z.string() });

@Injectable()
class ParrotTools {
  readonly api: ProviderApi;

  constructor(api: ProviderApi) {
    this.api = api;
  }
}

@Injectable()
class OtherParrotTools extends ParrotTools {}

@Injectable()
class BankTools extends ParrotTools {}

const parrot: Provider = {
  id: 'parrot',
  label: 'Parrot',
  apiBase: 'https://api.parrot.example',
  scopes: {},
  settingsUrl: 'https://parrot.example/settings',
  tools: [ParrotTools, OtherParrotTools],
  headers: { 'x-parrot': '1' },
  identify: (api, context) => api.get({ path: ['user'], answer }, context),
};
const bank: Provider = {
  ...parrot,
  id: 'bank',
  label: 'Bank',
  headers: { 'x-bank': '1' },
  tools: [BankTools],
};
const { identify: _identify, ...parrotWithoutName } = parrot;

describe('ProviderModule', () => {
  let server: Server;
  let seen: { readonly url: string | undefined; readonly header: unknown }[];
  let module: TestingModule;

  const config = (path: string) => ({
    credentialProvider: `cp-${path}`,
    apiBase: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/${path}`,
    deadlineMs: 10_000,
  });
  const offering = async (...providers: readonly Provider[]): Promise<void> => {
    const imports = providers.map((provider) => ProviderModule.forProvider(provider, config(provider.id)));
    module = await Test.createTestingModule({ imports }).compile();
  };
  const inAny = { strict: false } as const;

  beforeEach(async () => {
    seen = [];
    server = createServer(({ url, headers }, response) => {
      seen.push({ url, header: headers['x-parrot'] ?? headers['x-bank'] });
      response.end('{"id":"1","login":"polly"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await module.close();
    server.closeAllConnections();
    server.close();
  });

  const context: ProviderCallContext = {
    accessToken: 'token',
    scopes: [],
    signal: new AbortController().signal,
  };

  it('offers the provider as it is configured', async () => {
    await offering(parrot);
    expect(module.get(OfferedProvider, inAny)).toMatchObject({ provider: parrot, config: config('parrot') });
  });

  it('gives all tools of the provider one client', async () => {
    await offering(parrot);
    const { api } = module.get(ParrotTools, inAny);
    expect(api).toBeInstanceOf(ProviderApi);
    expect(module.get(OtherParrotTools, inAny).api).toBe(api);
  });

  it("calls the configured API in the provider's own way, and not the public one", async () => {
    await offering(parrot);
    const { api } = module.get(ParrotTools, inAny);
    expect(await api.get({ path: ['user'], answer }, context)).toEqual({ id: '1', login: 'polly' });
    expect(seen).toEqual([{ url: '/parrot/user', header: '1' }]);
  });

  it('tells whose token it is by the same API', async () => {
    await offering(parrot);
    const { identify } = module.get(OfferedProvider, inAny);
    expect(await identify?.(context)).toEqual({ id: '1', login: 'polly' });
    expect(seen).toEqual([{ url: '/parrot/user', header: '1' }]);
  });

  it('cannot tell whose token it is where the provider does not', async () => {
    await offering(parrotWithoutName);
    expect(module.get(OfferedProvider, inAny).identify).toBeUndefined();
  });

  it('keeps the clients of two providers apart', async () => {
    await offering(parrot, bank);
    await module.get(BankTools, inAny).api.get({ path: ['user'], answer }, context);
    await module.get(ParrotTools, inAny).api.get({ path: ['user'], answer }, context);
    expect(seen.map(({ url }) => url)).toEqual(['/bank/user', '/parrot/user']);
  });

  it('can be offered to a test with another API', async () => {
    const other = new ProviderApi(parrot, { apiBase: 'http://127.0.0.1:1', deadlineMs: 10_000 });
    module = await Test.createTestingModule({
      imports: [ProviderModule.forProvider(parrot, config('parrot'))],
    })
      .overrideProvider(ProviderApi)
      .useValue(other)
      .compile();
    expect(module.get(ParrotTools, inAny).api).toBe(other);
  });
});
