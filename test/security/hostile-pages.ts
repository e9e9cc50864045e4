import type { Received } from '../support/send.ts';
import { tokenOf } from '../support/tokens.ts';
import { ALICE, resealed, sealing, sendToResult, ticketOf, type Situation } from './binding-situation.ts';
import { subjectOf } from '../support/world.ts';

export interface HostilePage {
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** A place through which a text reaches a page, and the request for that page. */
export interface Place {
  readonly name: string;
  /** Whether only a person who knows FLOW_SECRET can put a text there. */
  readonly sealed: boolean;
  readonly request: (text: string, situation: Situation) => Promise<HostilePage> | HostilePage;
}

const BINDING = '/oauth2/session-binding';
const CONNECT = '/oauth2/connect';
const query = (path: string, parameters: Readonly<Record<string, string>>): string =>
  `${path}?${new URLSearchParams(parameters).toString()}`;

function signedIn(
  { world }: Situation,
  payload: Readonly<Record<string, unknown>> = {},
): HostilePage['headers'] {
  const token = tokenOf(world.stack, { payload: { sub: subjectOf(ALICE), ...payload } });
  return [
    ['x-amzn-oidc-data', token],
    ['accept', 'text/html'],
  ];
}

const inQuery = (path: string, name: string, more: Readonly<Record<string, string>> = {}): Place => ({
  name: `${path} ${name}=`,
  sealed: false,
  request: (text, situation) => ({
    path: query(path, { ...more, [name]: text }),
    headers: signedIn(situation),
  }),
});
const inClaim = (name: string): Place => ({
  name: `the claim ${name}`,
  sealed: false,
  request: (text, situation) => ({
    path: query(CONNECT, { ticket: ticketOf(situation) }),
    headers: signedIn(situation, { [name]: text }),
  }),
});
const inTicket = (name: string, change: (text: string) => object): Place => ({
  name: `the ticket's ${name}`,
  sealed: true,
  request: async (text, situation) => {
    const ticket = await resealed(situation, ticketOf(situation), 'flow-ticket', {
      display: { provider: 'GitHub', tool: 'Read', scopes: [{ allows: 'Read' }], ...change(text) },
    });
    return { path: query(CONNECT, { ticket }), headers: signedIn(situation) };
  },
});
const inResult = (name: string, change: (text: string) => object): Place => ({
  name: `the result's ${name}`,
  sealed: true,
  request: async (text, situation) => {
    const value = {
      sub: subjectOf(ALICE),
      result: { kind: 'done', provider: 'GitHub', account: 'alice-octo', ...change(text) },
    };
    const sealed = await sealing(situation, 'flow-result').seal(value, Date.now() + 60_000);
    return { path: BINDING, headers: [...signedIn(situation), ['cookie', `onbehalf-result=${sealed}`]] };
  },
});

export const PLACES: readonly Place[] = [
  inQuery(CONNECT, 'ticket'),
  inQuery(CONNECT, 'next'),
  inQuery(BINDING, 'session_id'),
  inQuery(BINDING, 'state', { session_id: 'urn:ietf:params:oauth:request_uri:x' }),
  inQuery(BINDING, 'error'),
  inQuery(BINDING, 'error_description', { error: 'access_denied' }),
  {
    name: 'an address',
    sealed: false,
    request: (text, situation) => ({
      path: `/${encodeURIComponent(text.toWellFormed())}`,
      headers: signedIn(situation),
    }),
  },
  inClaim('name'),
  inClaim('preferred_username'),
  inClaim('email'),
  inTicket('provider', (provider) => ({ provider })),
  inTicket('tool', (tool) => ({ tool })),
  inTicket('account', (account) => ({ account })),
  inTicket('scopes', (allows) => ({ scopes: [{ allows }] })),
  inTicket('reasons', (why) => ({ scopes: [{ allows: 'Read', why }] })),
  inResult('provider', (provider) => ({ provider })),
  inResult('account', (account) => ({ account })),
];

export function open({ world }: Situation, { path, headers }: HostilePage): Promise<Received> {
  return sendToResult(world.roles.sessionBinding.url, path, headers);
}
