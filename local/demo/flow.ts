import type { Call } from '../agentcore-identity/agentcore-identity.ts';
import { USERS } from '../identity-provider/users.ts';
import { HttpBrowser, type Answer } from '../lib/http-browser.ts';
import { invoke, type Invocation } from '../lib/invoke.ts';
import { ACCESS_KEYS, GITHUB_PROVIDER, WORKLOAD, type LocalStack } from '../stack.ts';
import type { Report } from './report.ts';

/** Hears what is played, and whether it came as it must. */
export type Told = Pick<Report, 'heading' | 'step' | 'check'>;

/** The starting point of the attacks. */
export interface Played {
  readonly alice: HttpBrowser;
  /** The address at which the browser came back, session URI and state included. */
  readonly bindingUrl: string;
}

const ALICE = 'alice@example.com';
const SESSION = 'demo';
const AGENT_TO_IDENTITY = 'Agent role → AgentCore Identity';
const IDENTITY_TO_AGENT = 'AgentCore Identity → agent role';

/** Plays steps 1 to 17 for Alice, then an invocation that needs no consent. */
export async function playFlow(stack: LocalStack, report: Told): Promise<Played> {
  const { url } = stack.loadBalancer;
  const alice = new HttpBrowser();
  report.heading('The flow');
  const paused = await ask(stack, report, alice, url);
  const consent = await connect(stack, report, alice, paused);
  const bindingUrl = await comeBack(stack, report, alice, consent);
  await bind(stack, report, alice, bindingUrl);
  await resume(stack, report, alice, url, paused);
  await askAgain(stack, report, alice, url);
  return { alice, bindingUrl };
}

async function ask(stack: LocalStack, report: Told, alice: HttpBrowser, url: string): Promise<Invocation> {
  const page = await alice.signIn(url, ALICE);
  report.step(
    '1',
    'Browser → load balancer → agent role',
    `Alice signs in by OIDC and asks: "Who am I on GitHub?"`,
  );
  report.check('the sign-in ended on the requested page', page.status === 200 && page.url === `${url}/docs`);
  const paused = await invoke(alice, url, { sessionId: SESSION, message: 'Who am I on GitHub?' });
  report.check('the agent role accepted the padded ES256 token and took her sub', paused.status === 200);
  const calls = (operation: string): readonly Call[] =>
    stack.agentCoreIdentity.calls.filter((call) => call.operation === operation);
  const [forUser, ...more] = calls('GetWorkloadAccessTokenForUserId');
  report.step('2', AGENT_TO_IDENTITY, 'asks for a workload access token for Alice.');
  report.check(
    'once, signed with the agent role',
    forUser?.accessKeyId === ACCESS_KEYS.agent && more.length === 0,
  );
  report.step('3', IDENTITY_TO_AGENT, 'returns one: opaque, for this workload and this user.');
  report.check('answered 200', forUser?.status === 200);
  const [forToken] = calls('GetResourceOauth2Token');
  report.step('4', AGENT_TO_IDENTITY, "asks for Alice's GitHub token with the scope read:user.");
  report.check('once, signed with the agent role', forToken?.accessKeyId === ACCESS_KEYS.agent);
  report.step('5', 'AgentCore Identity', 'looks in its vault.');
  report.check('it holds no token', Object.keys(stack.agentCoreIdentity.vault.grants()).length === 0);
  report.step('6', IDENTITY_TO_AGENT, 'returns an authorization URL and a session URI instead of a token.');
  const sessions = stack.agentCoreIdentity.vault.sessions();
  report.check('one session has begun', sessions.length === 1 && sessions[0]?.status === 'started');
  const [interrupt] = paused.interrupts;
  report.step('7', 'Agent role → browser', 'pauses the run, and shows its own link.');
  report.check(
    'the run ended with an interrupt for read:user at GitHub',
    interrupt?.reason === 'authorization_required' &&
      JSON.stringify(interrupt.metadata.scopes) === '["read:user"]',
  );
  report.check(
    'the link is ours: /oauth2/connect with an encrypted ticket',
    interrupt?.metadata.connectUrl?.startsWith(`${url}/oauth2/connect?ticket=`) === true,
  );
  report.check(
    "no event contains the provider's URL",
    !paused.raw.includes('/identities/oauth2/authorize') && !paused.raw.includes('/login/oauth'),
  );
  report.check(
    'the model has seen neither a link nor a token',
    !JSON.stringify(stack.bedrock.requests).includes('http'),
  );
  return paused;
}

async function connect(
  stack: LocalStack,
  report: Told,
  alice: HttpBrowser,
  paused: Invocation,
): Promise<Answer> {
  const connectUrl = paused.interrupts[0]?.metadata.connectUrl ?? '';
  report.step(
    '8',
    'Browser → session-binding role → GitHub',
    'shows the user, the action and the scope; one click leads to GitHub, where she consents.',
  );
  const page = await alice.navigate(connectUrl);
  report.check(
    'the page says provider, action and scope in words',
    ['GitHub', 'Read your GitHub profile', 'Read all user profile data'].every((text) =>
      page.text.includes(text),
    ),
  );
  const gate = await alice.submitAndFollow(page);
  const cookies = await alice.jar.getCookies(stack.loadBalancer.url);
  report.check(
    'the browser has the flow cookie',
    cookies.some(({ key, httpOnly }) => key.startsWith('onbehalf-flow-') && httpOnly),
  );
  report.check(
    'the browser is at GitHub, with PKCE and the state of AgentCore Identity',
    gate.url.startsWith(`${stack.gitHub.url}/login/oauth/authorize`) &&
      gate.url.includes('code_challenge_method=S256'),
  );
  return alice.submitAndFollow(gate, { login: 'alice-octo' });
}

async function comeBack(
  stack: LocalStack,
  report: Told,
  alice: HttpBrowser,
  consent: Answer,
): Promise<string> {
  report.step(
    '9',
    'GitHub → browser → AgentCore Identity',
    'Alice authorizes; GitHub sends her to the callback, with a code.',
  );
  const callback = await alice.submitAndFollow(consent, { action: 'authorize' }, (next) =>
    next.includes('/oauth2/callback/'),
  );
  report.check(
    'the callback carries a code and the state',
    callback.url.includes('code=') && callback.url.includes('state='),
  );
  report.step(
    '10',
    'AgentCore Identity → browser',
    'keeps the code, and sends the browser to the session-binding role.',
  );
  const back = await alice.navigate(callback.url, (next) => next.includes('/oauth2/session-binding'));
  report.check(
    'with the session URI and our own state',
    back.url.includes('session_id=urn') && back.url.includes('state='),
  );
  report.check(
    'the code has not been exchanged: it is not yet known whose browser this is',
    stack.gitHub.grants.accessTokens().length === 0,
  );
  return back.url;
}

async function bind(stack: LocalStack, report: Told, alice: HttpBrowser, bindingUrl: string): Promise<void> {
  report.step(
    '11',
    'Browser → load balancer → session-binding role',
    'comes back through the load balancer, which vouches for Alice again.',
  );
  const done = await alice.navigate(bindingUrl);
  report.check('the load balancer let her through', done.status === 200);
  report.step(
    '12',
    'Session-binding role → AgentCore Identity',
    'user, session URI and state match the flow: CompleteResourceTokenAuth.',
  );
  const completions = stack.agentCoreIdentity.calls.filter(
    ({ operation }) => operation === 'CompleteResourceTokenAuth',
  );
  report.check(
    'it was called once, by the only role that may call it',
    completions.length === 1 && completions[0]?.accessKeyId === ACCESS_KEYS['session-binding'],
  );
  const [exchange] = stack.gitHub.grants.exchanges;
  report.step('13', 'AgentCore Identity → GitHub', 'exchanges the code, with its PKCE verifier.');
  report.check(
    'GitHub has checked the verifier',
    exchange?.grantType === 'authorization_code' && exchange.pkce,
  );
  const [token] = stack.gitHub.grants.accessTokens();
  report.step('14', 'GitHub → AgentCore Identity', 'returns an access token.');
  report.check('one token has been issued', stack.gitHub.grants.accessTokens().length === 1);
  const sub = USERS.find(({ username }) => username === ALICE)?.sub ?? '';
  const [[key, stored] = []] = Object.entries(stack.agentCoreIdentity.vault.grants());
  report.step('15', 'AgentCore Identity', 'stores it in the vault, under workload, user and provider.');
  report.check("the only entry is Alice's", key === `${WORKLOAD}|id:${sub}|${GITHUB_PROVIDER}`);
  report.check("it is GitHub's token", stored?.[0]?.accessToken === token);
  report.step('16', 'AgentCore Identity → session-binding role', 'answers 200, without a token.');
  report.check('answered 200', completions[0]?.status === 200);
  report.step(
    '17',
    'Session-binding role → browser',
    'says that the authorization is complete, and notifies the waiting page.',
  );
  report.check(
    'the page says so',
    done.text.includes('GitHub is connected') && done.text.includes('BroadcastChannel'),
  );
}

async function resume(
  stack: LocalStack,
  report: Told,
  alice: HttpBrowser,
  url: string,
  paused: Invocation,
): Promise<void> {
  const before = stack.bedrock.requests.length;
  const interruptId = paused.interrupts[0]?.id;
  const resumed = await invoke(alice, url, {
    sessionId: SESSION,
    resume: [{ interruptId, status: 'resolved' }],
  });
  report.check(
    'the run resumes where it paused, and returns her profile',
    resumed.text.includes('alice-octo'),
  );
  const after = stack.bedrock.requests.slice(before);
  report.check('the model was called once: for the answer, not for the tool call again', after.length === 1);
  const tokens = stack.gitHub.grants.accessTokens();
  report.check(
    "neither an event nor a request to the model contains GitHub's token",
    tokens.every(
      (token) => !resumed.raw.includes(token) && !JSON.stringify(stack.bedrock.requests).includes(token),
    ),
  );
}

async function askAgain(stack: LocalStack, report: Told, alice: HttpBrowser, url: string): Promise<void> {
  report.heading('The second invocation needs no consent');
  const again = await invoke(alice, url, { sessionId: SESSION, message: 'Show my GitHub profile again' });
  report.check(
    'it answers immediately, with the token in the vault',
    again.last?.outcome?.type === 'success' && again.text.includes('alice-octo'),
  );
  report.check(
    "GitHub was called with the vault's token",
    stack.gitHub.api.seenTokens.length >= 2 && new Set(stack.gitHub.api.seenTokens).size === 1,
  );
}
