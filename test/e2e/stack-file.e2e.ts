import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BedrockAgentCoreClient,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenForUserIdCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { FaultSwitch } from '../../local/lib/faults.ts';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { sendJson, serve } from '../../local/lib/http.ts';
import { startParts, type PartialStack } from '../../local/stack.ts';
import { SCHEMA, schemaOfStackFile } from '../../local/stack-schema.ts';
import { readStackFile, stackFile } from '../../local/stack-file.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'onbehalf-stack-file-'));
const CREDENTIALS = { accessKeyId: 'AKIATEST', secretAccessKey: 'x' };

describe('a stack from a file', () => {
  const open: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
  });
  afterAll(() => {
    rmSync(FOLDER, { recursive: true });
  });

  /** Starts what the file says, as it is read from the disk. */
  const start = async (file: object): Promise<PartialStack> => {
    const path = join(FOLDER, 'stack.json');
    writeFileSync(path, JSON.stringify(file));
    const stack = await startParts({ file: readStackFile(path) });
    open.push(stack);
    return stack;
  };
  /** A service behind the load balancer, which shows what it is told of the user. */
  const startService = async (): Promise<string> => {
    const service = await serve((request, response) => {
      request.resume();
      const [, payload = ''] = String(request.headers['x-amzn-oidc-data']).split('.');
      sendJson(response, 200, JSON.parse(Buffer.from(payload, 'base64').toString('utf8')));
    }, new FaultSwitch());
    open.push(service);
    return service.url;
  };
  const rules = [{ paths: ['/hello', '/api/*'], action: 'authenticate', target: 'own' }];

  it('starts the named parts alone, with their variables alone', async () => {
    const { bedrock, s3, ...stack } = await start({ parts: ['bedrock', 's3'] });
    expect(stack).not.toHaveProperty('loadBalancer');
    expect(stack.providers.size).toBe(0);
    const variables = Object.keys(stack.environment('aws')).filter((name) => name.includes('ENDPOINT'));
    expect(variables.sort()).toEqual(['AWS_ENDPOINT_URL_BEDROCK_RUNTIME', 'AWS_ENDPOINT_URL_S3']);
    expect([bedrock?.url, s3?.url]).toEqual(variables.sort().map((name) => stack.environment('aws')[name]));
    const board = (await (await fetch(`${stack.faultBoard.url}/faults`)).json()) as {
      parts: { id: string }[];
    };
    expect(board.parts.map(({ id }) => id)).toEqual(['bedrock', 's3']);
    expect((await fetch(stack.faultBoard.url)).status).toBe(200);
    expect(stack.hasInspector).toBe(false);
  });

  it('signs users in for a service of any address, under rules of its own', async () => {
    const own = await startService();
    const users = [{ username: 'dora@example.com', name: 'Dora', groups: ['admins'] }];
    const { loadBalancer } = await start({
      parts: ['loadBalancer', 'identityProvider'],
      identityProvider: { tenant: 'okta', users },
      loadBalancer: { targets: { own: [own] }, rules },
    });
    const browser = new HttpBrowser();
    const chooser = await browser.navigate(`${loadBalancer?.url ?? ''}/api/things?x=1`);
    const page = await browser.submitAndFollow(chooser, { username: 'dora@example.com' });
    expect(JSON.parse(page.text)).toMatchObject({
      sub: expect.stringMatching(/^00u[0-9a-f]{17}$/) as unknown,
      groups: ['admins'],
      email_verified: true,
    });
    expect((await fetch(`${loadBalancer?.url ?? ''}/apix`)).status).toBe(404);
  });

  it.each([
    ['entra', { tid: expect.any(String), oid: expect.any(String) }],
    ['cognito', { username: expect.stringMatching(/^[0-9a-f-]{36}$/), email_verified: 'true' }],
    ['okta', { zoneinfo: 'Europe/Berlin' }],
  ])('has the claims of %s', async (tenant, claims) => {
    const own = await startService();
    const { loadBalancer } = await start({
      parts: ['loadBalancer', 'identityProvider'],
      identityProvider: { tenant },
      loadBalancer: { targets: { own: [own] }, rules },
    });
    const browser = new HttpBrowser();
    const chooser = await browser.navigate(`${loadBalancer?.url ?? ''}/hello`);
    const page = await browser.submitAndFollow(chooser, { username: 'alice@example.com' });
    expect(JSON.parse(page.text)).toMatchObject({
      ...claims,
      name: 'Alice Arden',
      email: 'alice@example.com',
    });
  });

  it('answers 561 where the sign-in asks for a token of another audience: userinfo refuses that token', async () => {
    const { loadBalancer } = await start({
      parts: ['loadBalancer', 'identityProvider'],
      loadBalancer: {
        targets: { own: [await startService()] },
        rules,
        scope: 'openid profile email api://onbehalf/agent',
      },
    });
    const browser = new HttpBrowser();
    const chooser = await browser.navigate(`${loadBalancer?.url ?? ''}/hello`);
    expect((await browser.submitAndFollow(chooser, { username: 'alice@example.com' })).status).toBe(561);
  });

  it('has workloads, credential providers and replies of its own', async () => {
    const returnUrl = 'http://localhost:9/return';
    const stack = await start({
      agentCoreIdentity: {
        workloads: [{ name: 'my.agent', returnUrls: [returnUrl] }],
        credentialProviders: [
          { name: 'github', clientId: 'my-client', clientSecret: 'my-secret', provider: 'github' },
        ],
      },
      bedrock: {
        replies: [{ when: 'weather', say: 'Sunny.', call: [{ name: 'look', input: { at: 'sky' } }] }],
      },
    });
    const common = { region: 'eu-central-1', credentials: CREDENTIALS, maxAttempts: 1 };
    const identity = new BedrockAgentCoreClient({ ...common, endpoint: stack.agentCoreIdentity?.url ?? '' });
    const user = new GetWorkloadAccessTokenForUserIdCommand({ workloadName: 'my.agent', userId: 'dora' });
    const { workloadAccessToken } = await identity.send(user);
    const { authorizationUrl = '', sessionUri } = await identity.send(
      new GetResourceOauth2TokenCommand({
        workloadIdentityToken: workloadAccessToken,
        resourceCredentialProviderName: 'github',
        scopes: ['read:user'],
        oauth2Flow: 'USER_FEDERATION',
        resourceOauth2ReturnUrl: returnUrl,
      }),
    );
    identity.destroy();
    const browser = new HttpBrowser();
    const accounts = await browser.navigate(authorizationUrl);
    const consent = await browser.submitAndFollow(accounts, { login: 'alice-octo' });
    const back = await browser.submitAndFollow(consent, { action: 'authorize' }, (url) =>
      url.startsWith(returnUrl),
    );
    expect(new URL(back.url).searchParams.get('session_id')).toBe(sessionUri);
    const model = new BedrockRuntimeClient({ ...common, endpoint: stack.bedrock?.url ?? '' });
    const messages = [{ role: 'user' as const, content: [{ text: 'What WEATHER is it?' }] }];
    const { output, stopReason } = await model.send(new ConverseCommand({ modelId: 'any', messages }));
    model.destroy();
    expect(stopReason).toBe('tool_use');
    expect(output?.message?.content).toMatchObject([
      { text: 'Sunny.' },
      { toolUse: { name: 'look', input: { at: 'sky' } } },
    ]);
  });

  it.each([
    ['{', /is not JSON/],
    ['{"part": ["s3"]}', /the file: Unrecognized key: "part"/],
    ['{"parts": ["s4"]}', /parts\.0: Invalid option/],
    ['{"loadBalancer": {"targets": {"own": ["localhost"]}}}', /loadBalancer\.targets\.own\.0: Invalid URL/],
  ])('says what is wrong in %s', (text, sentence) => {
    const path = join(FOLDER, 'wrong.json');
    writeFileSync(path, text);
    expect(() => readStackFile(path)).toThrow(sentence);
    expect(() => readStackFile(path)).toThrow(path);
  });

  it('has a schema for editors; else run: npm run docs:stack', () => {
    expect(JSON.parse(readFileSync(SCHEMA, 'utf8'))).toEqual(schemaOfStackFile());
  });

  it('says what a part needs', async () => {
    await expect(start({ parts: ['loadBalancer'] })).rejects.toThrow(
      /needs the part identityProvider, or an issuer/,
    );
    const unknown = { name: 'x', clientId: 'x', clientSecret: 'x', provider: 'gitlab' };
    await expect(start({ agentCoreIdentity: { credentialProviders: [unknown] } })).rejects.toThrow(
      /needs a provider of the stack \(github\)/,
    );
    expect(stackFile.parse({}).agentCoreIdentity.behaviour).toBe('strict');
  });
});
