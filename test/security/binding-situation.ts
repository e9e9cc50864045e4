import { type HttpBrowser, type Answer } from '../../local/lib/http-browser.ts';
import type { Fault } from '../../local/lib/faults.ts';
import { flowIdOf } from '../../src/identity/flow/flow-record.js';
import { SealedToken } from '../../src/identity/flow/sealed-token.js';
import { z } from 'zod';
import { send, type Received } from '../support/send.ts';
import { connectUrlOf, type World } from '../support/world.ts';

/** Alice has asked, opened the connect page, consented at GitHub, and is about to come back in browser A. */
export interface Situation {
  readonly world: World;
  /** Alice's browser, in which the flow was started. */
  readonly a: HttpBrowser;
  readonly connectUrl: string;
  /** Where her browser is sent after the consent. */
  readonly back: URL;
}

export const PAGES = {
  connect: [200, 'Connect GitHub?'],
  connected: [200, 'GitHub is connected'],
  already: [200, 'already connected'],
  'wrong browser': [403, 'not started in this browser'],
  'wrong account': [403, 'another account'],
  invalid: [400, 'not valid'],
  expired: [410, 'has expired'],
  denied: [200, 'You did not authorize access'],
  burnt: [403, 'This authorization was stopped'],
  misconfigured: [500, 'misconfigured'],
  unavailable: [503, 'unavailable'],
  unchecked: [503, 'cannot be checked'],
  'cross-site': [403, 'Cross-site'],
  'sign in': [401, 'Not signed in'],
  'no such page': [404, 'Not found'],
  'no form': [415, ''],
  'on to the provider': [303, ''],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export interface BindingCase {
  readonly user: string;
  readonly browser: string;
  readonly what: string;
  readonly page: keyof typeof PAGES;
  /** The content of the vault afterwards. */
  readonly vault: 'nothing' | "Alice's token";
  /** The last new event of the audit trail, except sign-ins. */
  readonly audit: string;
  readonly act: (situation: Situation) => Promise<Answer>;
}

export const ALICE = 'alice@example.com';
export const BOB = 'bob@example.com';

export const changed = (url: URL, change: (parameters: URLSearchParams) => void): string => {
  const copy = new URL(url);
  change(copy.searchParams);
  return copy.href;
};
export const flowCookie = async ({
  world,
  a,
  back,
}: Situation): Promise<readonly [name: string, value: string]> => {
  const name = `onbehalf-flow-${flowIdOf(back.searchParams.get('session_id') ?? '')}`;
  const found = (await a.jar.getCookies(world.url)).find(({ key }) => key === name);
  if (found === undefined) throw new Error('no flow cookie');
  return [found.key, found.value];
};
/** A signed-in browser with additional planted cookies. */
export const browserOf = async (
  { world }: Situation,
  username: string,
  cookies: readonly (readonly [string, string])[] = [],
): Promise<HttpBrowser> => {
  const browser = await world.signIn(username);
  for (const [name, value] of cookies) await browser.jar.setCookie(`${name}=${value}; Path=/`, world.url);
  return browser;
};
export const ticketOf = ({ connectUrl }: Situation): string =>
  new URL(connectUrl).searchParams.get('ticket') ?? '';
export const tampered = (sealed: string): string => {
  const at = sealed.length - 30;
  return sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
};
/** Seals like the roles of this world, or with a secret of the attacker. */
export const sealing = (
  { world }: Pick<Situation, 'world'>,
  purpose: string,
  secret = world.stack.environment('agent').FLOW_SECRET ?? '',
): SealedToken<object> =>
  new SealedToken({
    flow: { secret, acceptedSecrets: [], publicUrl: world.url },
    purpose,
    schema: z.looseObject({}),
  });
/** Opens a sealed token, changes some of its members and seals it again. */
export const resealed = async (
  situation: Situation,
  sealed: string,
  purpose: string,
  change: object,
  expiresAt = Date.now() + 60_000,
  secret?: string,
): Promise<string> => {
  const value = await sealing(situation, purpose).open(sealed);
  return sealing(situation, purpose, secret).seal({ ...value, ...change }, expiresAt);
};
export const ANOTHER_SECRET = 'another-secret-of-someone-elses-0123456789';
export const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
export const postTicket = (
  browser: HttpBrowser,
  situation: Situation,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  browser.request(`${situation.world.url}/oauth2/connect`, {
    method: 'POST',
    headers: { ...FORM, ...headers },
    body: new URLSearchParams({ ticket: ticketOf(situation) }).toString(),
  });
/** Sends a request directly to the role, with a token of the attacker's choice and Alice's flow cookie. */
export const direct = async (situation: Situation, token: string | undefined): Promise<Answer> => {
  const [name, value] = await flowCookie(situation);
  const { pathname, search } = situation.back;
  const headers = [
    ['accept', 'text/html'],
    ...(token === undefined ? [] : [['x-amzn-oidc-data', token] as const]),
  ] as const;
  const { status, text } = await sendToResult(situation.world.roles.sessionBinding.url, pathname + search, [
    ...headers,
    ['cookie', `${name}=${value}`],
  ]);
  return { url: pathname, status, headers: new Headers(), text };
};
/** Sends a request, and follows its redirect to the result at the same path. */
export async function sendToResult(
  url: string,
  path: string,
  headers: readonly (readonly [string, string])[],
): Promise<Received> {
  const first = await send(url, path, { headers });
  const { location } = first.headers;
  const cookies = [first.headers['set-cookie'] ?? []].flat().map((each) => each.split(';', 1)[0]);
  if (first.status !== 303 || location === undefined || location !== path.split('?', 1)[0]) return first;
  const others = headers.filter(([name]) => name !== 'cookie');
  return send(url, location, { headers: [...others, ['cookie', cookies.join('; ')]] });
}
export const past = (): number => Math.floor(Date.now() / 1000) - 5;

let sessions = 0;
export const sessionName = (): string => `binding-${String((sessions += 1))}`;

/** Plays a flow of a user up to the callback, which is not opened. */
export async function flowOf(world: World, browser: HttpBrowser, login: string): Promise<Situation> {
  const connectUrl = connectUrlOf(await world.ask(browser, sessionName(), 'Who am I on GitHub?'));
  const back = new URL(await world.consentUpToBinding(browser, connectUrl, login));
  return { world, a: browser, connectUrl, back };
}

export async function secondFlow({ world, a }: Situation): Promise<URL> {
  return (await flowOf(world, a, 'alice-octo')).back;
}

/** An attacker passes on the provider's own address, which only a browser that pressed the button gets. */
export async function consentByProviderLink(
  situation: Situation,
  username: string,
  login: string,
): Promise<Answer> {
  const { world, a } = situation;
  const connectUrl = connectUrlOf(await world.ask(a, sessionName(), 'Who am I on GitHub?'));
  const location = (await a.submit(await a.navigate(connectUrl))).headers.get('location') ?? '';
  const victim = await browserOf(situation, username);
  const page = await victim.submitAndFollow(await victim.navigate(location), { login });
  const back = await victim.submitAndFollow(page, { action: 'authorize' }, (url) =>
    url.includes('/oauth2/session-binding'),
  );
  return victim.navigate(back.url);
}

export function toProviderAlone(world: World, got: Answer): Answer {
  const leads = (got.headers.get('location') ?? '').startsWith(
    `${world.stack.agentCoreIdentity.url}/identities/oauth2/authorize?`,
  );
  return leads ? got : { ...got, status: 0 };
}

/** Follows a redirect to the result at our own address without a query. */
export async function resultOf(browser: HttpBrowser, world: World, got: Answer): Promise<Answer> {
  return got.headers.get('location') === '/oauth2/connect'
    ? browser.request(`${world.url}/oauth2/connect`, { headers: { accept: 'text/html' } })
    : got;
}

/** A refusal must neither redirect nor set a flow cookie. */
export function withoutEffect(got: Answer): Answer {
  const hasEffect =
    ![null, '/oauth2/connect'].includes(got.headers.get('location')) ||
    got.headers.getSetCookie().some((cookie) => cookie.includes('flow'));
  return hasEffect ? { ...got, status: 0 } : got;
}

/** An error of an AWS service. */
export function answer(status: number, type: string, message: string): Fault {
  return { kind: 'answer', status, headers: { 'x-amzn-errortype': type }, body: JSON.stringify({ message }) };
}
