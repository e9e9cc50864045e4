import { send, type Received } from '../support/send.ts';
import { tokenOf } from '../support/tokens.ts';
import { ALICE, resealed, ticketOf, type Situation } from './binding-situation.ts';
import { subjectOf } from '../support/world.ts';

export interface HostilePage {
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** A place that a text reaches a page through, and the request that takes it there. */
export interface Place {
  readonly name: string;
  /** Whether only who knows FLOW_SECRET can put a text there. */
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
      words: { provider: 'GitHub', tool: 'Read', scopes: ['Read'], ...change(text) },
    });
    return { path: query(CONNECT, { ticket }), headers: signedIn(situation) };
  },
});
/** A flow that is done shows "already connected"; one that is not is completed, which happens once. */
const inCookie = (name: string, change: (text: string) => object): Place => ({
  name: `the flow cookie's ${name}`,
  sealed: true,
  request: async (text, situation) => {
    const [cookie] = (await situation.a.jar.getCookies(situation.world.url)).filter(({ key }) =>
      key.startsWith('onbehalf-flow-'),
    );
    const value = await resealed(situation, cookie?.value ?? '', 'flow-cookie', {
      done: true,
      ...change(text),
    });
    const { search } = situation.back;
    return {
      path: BINDING + search,
      headers: [...signedIn(situation), ['cookie', `${cookie?.key ?? ''}=${value}`]],
    };
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
  inTicket('scopes', (scope) => ({ scopes: [scope] })),
  inCookie('provider', (providerLabel) => ({ providerLabel })),
];

export function open({ world }: Situation, { path, headers }: HostilePage): Promise<Received> {
  return send(world.roles.sessionBinding.url, path, { headers });
}
