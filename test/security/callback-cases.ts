import type { Fault } from '../../local/lib/faults.ts';
import { tokenOf } from '../support/tokens.ts';
import { connectUrlOf, subjectOf } from '../support/world.ts';
import {
  ALICE,
  BOB,
  FORM,
  answer,
  browserOf,
  changed,
  consentByProviderLink,
  direct,
  flowCookie,
  past,
  secondFlow,
  sessionName,
  flowOf,
  type BindingCase,
} from './binding-situation.ts';

/** The callback in Alice's browser, with a changed query. */
const inA = (
  what: string,
  page: BindingCase['page'],
  change: (parameters: URLSearchParams) => void,
  audit = 'binding_refused',
  vault: BindingCase['vault'] = 'nothing',
): BindingCase => ({
  user: 'Alice',
  browser: 'A',
  what,
  page,
  vault,
  audit,
  act: ({ a, back }) => a.navigate(changed(back, change)),
});
/** The callback while AgentCore Identity fails. */
const upstream = (what: string, page: BindingCase['page'], fault: Fault, audit: string): BindingCase => ({
  user: 'Alice',
  browser: 'A',
  what,
  page,
  vault: 'nothing',
  audit,
  act: ({ world, a, back }) => {
    world.stack.agentCoreIdentity.faults.plan(/Complete/, fault, 1);
    return a.navigate(back.href);
  },
});
/** The cases: user, browser and request, with the expected page and content of the vault. */
export const CALLBACK_CASES: readonly BindingCase[] = [
  {
    user: 'Alice',
    browser: 'A',
    what: 'the callback as it came',
    page: 'connected',
    vault: "Alice's token",
    audit: 'bound',
    act: ({ a, back }) => a.navigate(back.href),
  },
  {
    user: 'Alice',
    browser: 'A',
    what: 'the callback, a second time',
    page: 'already',
    vault: "Alice's token",
    audit: 'bound',
    act: async ({ a, back }) => {
      await a.navigate(back.href);
      return a.navigate(back.href);
    },
  },
  {
    user: 'Alice',
    browser: 'B',
    what: 'the callback, after it was completed in A',
    page: 'wrong browser',
    vault: "Alice's token",
    audit: 'binding_refused',
    act: async (s) => {
      await s.a.navigate(s.back.href);
      return (await browserOf(s, ALICE)).navigate(s.back.href);
    },
  },
  {
    user: 'Alice',
    browser: 'B',
    what: 'the callback',
    page: 'wrong browser',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => (await browserOf(s, ALICE)).navigate(s.back.href),
  },
  {
    user: 'Bob',
    browser: 'B',
    what: "Alice's callback, forwarded",
    page: 'wrong browser',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => (await browserOf(s, BOB)).navigate(s.back.href),
  },
  {
    user: 'Bob',
    browser: 'B, with her flow cookie',
    what: "Alice's callback",
    page: 'wrong account',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => (await browserOf(s, BOB, [await flowCookie(s)])).navigate(s.back.href),
  },
  {
    user: 'Bob, signed in after her',
    browser: 'A',
    what: "Alice's callback",
    page: 'wrong account',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => direct(s, tokenOf(s.world.stack, { payload: { sub: subjectOf(BOB) } })),
  },
  {
    user: 'Bob',
    browser: 'B',
    what: "the provider's link of Alice's flow, and his own consent",
    page: 'wrong browser',
    vault: 'nothing',
    audit: 'binding_refused',
    act: (s) => consentByProviderLink(s, BOB, 'bob-octo'),
  },
  {
    user: 'Alice',
    browser: 'B',
    what: "the provider's link of her flow, and her consent",
    page: 'wrong browser',
    vault: 'nothing',
    audit: 'binding_refused',
    act: (s) => consentByProviderLink(s, ALICE, 'alice-octo'),
  },
  inA('state missing', 'invalid', (query) => {
    query.delete('state');
  }),
  inA('state empty', 'invalid', (query) => {
    query.set('state', '');
  }),
  inA('a foreign state', 'invalid', (query) => {
    query.set('state', 'x'.repeat(43));
  }),
  inA('state one character longer', 'invalid', (query) => {
    query.set('state', `${query.get('state') ?? ''}A`);
  }),
  inA('state of 5,000 characters', 'invalid', (query) => {
    query.set('state', 'x'.repeat(5_000));
  }),
  inA('state twice', 'invalid', (query) => {
    query.append('state', query.get('state') ?? '');
  }),
  inA('state as state[]', 'invalid', (query) => {
    query.set('state[]', query.get('state') ?? '');
    query.delete('state');
  }),
  {
    user: 'Alice',
    browser: 'A, with two flows',
    what: 'the session of one with the state of the other',
    page: 'invalid',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => {
      const other = await secondFlow(s);
      return s.a.navigate(
        changed(s.back, (query) => {
          query.set('state', other.searchParams.get('state') ?? '');
        }),
      );
    },
  },
  {
    user: 'Alice',
    browser: 'A',
    what: "Bob's session and state, from his own flow",
    page: 'wrong browser',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => s.a.navigate((await flowOf(s.world, await s.world.signIn(BOB), 'bob-octo')).back.href),
  },
  inA('session_id missing', 'invalid', (query) => {
    query.delete('session_id');
  }),
  inA('session_id twice', 'invalid', (query) => {
    query.append('session_id', query.get('session_id') ?? '');
  }),
  inA('a session_id that is not a request URI', 'invalid', (query) => {
    query.set('session_id', 'https://evil.example');
  }),
  inA('an unknown session_id', 'wrong browser', (query) => {
    query.set('session_id', 'urn:ietf:params:oauth:request_uri:guessed');
  }),
  inA('session_id with a line break', 'invalid', (query) => {
    query.set('session_id', `${query.get('session_id') ?? ''}\r\n`);
  }),
  inA('session_id in upper case', 'invalid', (query) => {
    query.set('session_id', (query.get('session_id') ?? '').toUpperCase());
  }),
  inA('session_id of 2,000 characters', 'invalid', (query) => {
    query.set('session_id', `urn:ietf:params:oauth:request_uri:${'x'.repeat(2_000)}`);
  }),
  inA(
    'additional next=, redirect_uri= and return_to=',
    'connected',
    (query) => {
      for (const name of ['next', 'redirect_uri', 'return_to']) query.set(name, 'https://evil.example');
    },
    'bound',
    "Alice's token",
  ),
  inA(
    'additional error=access_denied',
    'denied',
    (query) => {
      query.set('error', 'access_denied');
    },
    'consent_denied',
  ),
  inA('error without session', 'denied', (query) => {
    query.delete('session_id');
    query.delete('state');
    query.set('error', 'access_denied');
    query.set('error_description', '<script>alert(1)</script>');
  }),
  {
    user: 'Alice',
    browser: 'A',
    what: 'she denies at the provider',
    page: 'denied',
    vault: 'nothing',
    audit: 'consent_denied',
    act: async (s) =>
      s.world.consent(
        s.a,
        connectUrlOf(await s.world.ask(s.a, sessionName(), 'Who am I on GitHub?')),
        'alice-octo',
        'cancel',
      ),
  },
  {
    user: 'Alice',
    browser: 'A',
    what: 'the callback eleven minutes later',
    page: 'expired',
    vault: 'nothing',
    audit: 'binding_refused',
    act: ({ world, a, back }) => {
      world.advance(11 * 60_000);
      return a.navigate(back.href);
    },
  },
  {
    user: 'Alice',
    browser: 'A, the cookie twice',
    what: 'the callback',
    page: 'wrong browser',
    vault: 'nothing',
    audit: 'binding_refused',
    act: async (s) => {
      const [name, value] = await flowCookie(s);
      await s.a.jar.setCookie(`${name}=${value}; Path=/oauth2`, s.world.url);
      return s.a.navigate(s.back.href);
    },
  },
  {
    user: 'nobody',
    browser: 'A, directly to the role',
    what: 'the callback',
    page: 'sign in',
    vault: 'nothing',
    audit: 'sign_in_refused',
    act: (s) => direct(s, undefined),
  },
  {
    user: 'Alice, expired',
    browser: 'A, directly to the role',
    what: 'the callback',
    page: 'sign in',
    vault: 'nothing',
    audit: 'sign_in_refused',
    act: (s) =>
      direct(s, tokenOf(s.world.stack, { header: { exp: past() }, payload: { sub: subjectOf(ALICE) } })),
  },
  {
    user: 'Alice, of another load balancer',
    browser: 'A, directly to the role',
    what: 'the callback',
    page: 'sign in',
    vault: 'nothing',
    audit: 'sign_in_refused',
    act: (s) =>
      direct(
        s,
        tokenOf(s.world.stack, {
          header: {
            signer:
              'arn:aws:elasticloadbalancing:eu-central-1:999999999999:loadbalancer/app/x/50dc6c495c0c9188',
          },
          payload: { sub: subjectOf(ALICE) },
        }),
      ),
  },
  ...(['HEAD', 'POST', 'PUT'] as const).map((method): BindingCase => ({
    user: 'Alice',
    browser: 'A',
    what: `the callback by ${method}`,
    page: 'no such page',
    vault: 'nothing',
    audit: 'nothing',
    act: async ({ a, back }) => {
      const got = await a.request(back.href, {
        method,
        headers: { accept: 'text/html', ...(method === 'HEAD' ? {} : FORM) },
      });
      return method === 'HEAD' ? { ...got, text: 'Not found' } : got;
    },
  })),
  upstream(
    'the service says that the session is expired',
    'expired',
    answer(403, 'AccessDeniedException', 'Invalid or expired session'),
    'binding_refused',
  ),
  upstream(
    "the role's permission is missing",
    'misconfigured',
    answer(
      403,
      'AccessDeniedException',
      'User: x is not authorized to perform: bedrock-agentcore:CompleteResourceTokenAuth',
    ),
    'binding_failed',
  ),
  upstream(
    'the service finds the request invalid',
    'misconfigured',
    answer(400, 'ValidationException', 'x'),
    'binding_failed',
  ),
  upstream(
    'the service is throttled',
    'unavailable',
    answer(429, 'ThrottlingException', 'x'),
    'binding_failed',
  ),
  upstream('the service breaks the connection', 'unavailable', { kind: 'reset' }, 'binding_failed'),
  upstream(
    'the service answers invalid JSON',
    'unavailable',
    { kind: 'answer', status: 500, body: '<html>' },
    'binding_failed',
  ),
];
