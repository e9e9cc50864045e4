// AgentCore Identity's flow: consent, session binding, a token, and what must fail. Jest and Vitest both run this file.
const {
  BedrockAgentCoreClient,
  CompleteResourceTokenAuthCommand,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenForUserIdCommand,
} = require('@aws-sdk/client-bedrock-agentcore');
const { startStack } = require('onbehalf/testing');

const RETURN_URL = 'http://localhost:9000/callback';
const TEN_MINUTES_MS = 600_000;

let stack;
let identity;

beforeAll(async () => {
  stack = await startStack({ config: `${__dirname}/../stack.json` });
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN']) delete process.env[name];
  Object.assign(process.env, stack.environment());
  identity = new BedrockAgentCoreClient();
});
beforeEach(() => stack.reset());
afterAll(() => stack.close());

async function ask(userId) {
  const { workloadAccessToken } = await identity.send(
    new GetWorkloadAccessTokenForUserIdCommand({ workloadName: 'my-agent', userId }),
  );
  return identity.send(
    new GetResourceOauth2TokenCommand({
      workloadIdentityToken: workloadAccessToken,
      resourceCredentialProviderName: 'github',
      scopes: ['read:user'],
      oauth2Flow: 'USER_FEDERATION',
      resourceOauth2ReturnUrl: RETURN_URL,
      customState: 'mine',
    }),
  );
}

const complete = (userId, sessionUri) =>
  identity.send(new CompleteResourceTokenAuthCommand({ userIdentifier: { userId }, sessionUri }));

test('gives a token after consent', async () => {
  const { authorizationUrl, sessionUri } = await ask('alice');
  const back = await stack.consent(authorizationUrl, { login: 'alice-octo' });
  expect(back.href.startsWith(RETURN_URL)).toBe(true);
  expect(back.searchParams.get('state')).toBe('mine');
  await complete('alice', sessionUri);
  const { accessToken } = await ask('alice');
  const answer = await fetch(`${stack.parts.providers.github}/api/v3/user`, {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  expect((await answer.json()).login).toBe('alice-octo');
  const asked = await stack.requests();
  expect(asked.some(({ line }) => line.startsWith('POST /identities/CompleteResourceTokenAuth'))).toBe(true);
});

test('lets no other user complete the session', async () => {
  const { authorizationUrl, sessionUri } = await ask('mallory');
  await stack.consent(authorizationUrl, { login: 'alice-octo' });
  await expect(complete('alice', sessionUri)).rejects.toThrow('Invalid or expired session');
});

test('comes back with the error of a user who refuses', async () => {
  const { authorizationUrl } = await ask('alice');
  const back = await stack.consent(authorizationUrl, { login: 'alice-octo', action: 'cancel' });
  expect(back.searchParams.get('error')).toBe('access_denied');
});

test('expires a session', async () => {
  const { authorizationUrl, sessionUri } = await ask('alice');
  await stack.consent(authorizationUrl, { login: 'alice-octo' });
  await stack.advance(TEN_MINUTES_MS);
  await expect(complete('alice', sessionUri)).rejects.toThrow('Invalid or expired session');
});

test('survives one throttled call', async () => {
  await stack.fail({
    part: 'agentcore-identity',
    operation: 'GetWorkloadAccessTokenForUserId',
    fault: {
      kind: 'answer',
      status: 429,
      headers: { 'x-amzn-errortype': 'ThrottlingException' },
      body: '{}',
    },
    times: 1,
  });
  expect((await ask('alice')).authorizationUrl).toContain('/identities/oauth2/authorize');
});
