import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as oidc from 'openid-client';
import { FaultSwitch } from '../lib/faults.ts';
import { cookiesOf, redirect, sendHtml, serve, urlOf } from '../lib/http.ts';
import { page } from '../lib/page.ts';
import type { Listen, Part } from '../lib/part.ts';
import { TargetProxy, type Counts, type Targets, type WatchTarget } from './proxy.ts';
import { RULES, type Rule } from './rules.ts';
import { SessionCookie, type AlbSession } from './session-cookie.ts';
import { AlbSigner } from './signer.ts';

export interface LoadBalancerOptions extends Listen {
  readonly arn: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the public keys are served. */
  readonly keys?: Listen;
  readonly idleTimeoutMs?: number;
  readonly stateDirectory?: string;
  /** The listener's rules, before those of the two roles. */
  readonly rules?: readonly Rule[];
  /** The scopes that a sign-in asks for. */
  readonly scope?: string;
  readonly now?: () => number;
  /** Sees what is forwarded, with the identity that the target is told. */
  readonly watchTarget?: WatchTarget;
}

export interface LocalLoadBalancer extends Part {
  /** The address of the public keys: `<keysUrl>/<kid>`. */
  readonly keysUrl: string;
  readonly keyFaults: FaultSwitch;
  readonly keyFetches: () => number;
  readonly signer: AlbSigner;
  readonly clientId: string;
  /** The address of the identity provider. */
  issuer(): string;
  /** Sets the address of the identity provider. Discovery happens at the first sign-in. */
  useIssuer(issuer: string): void;
  /** Sets the base URLs of the targets of each role, and replaces the previous ones. */
  register(targets: Targets): void;
  targets(): Targets;
  /** Deregisters a target: it gets no new requests, and open ones are cut after the delay. */
  drain(target: string, delayMs: number): Promise<void>;
  /** The metrics of this load balancer, as CloudWatch would have them. */
  readonly counts: Counts;
  /** The headers that the requests of a signed-in user have at a target. */
  identityHeaders(session: AlbSession): Record<string, string>;
}

const HOST = 'localhost';
const SCOPE = 'openid profile email';
const NONCE_COOKIE = 'AWSALBAuthNonce';
const SESSION_LIFETIME_S = 7 * 24 * 3600;
/** The load balancer renews the token with each request. It is valid for two minutes. */
const TOKEN_LIFETIME_S = 120;

/** An Application Load Balancer whose listener signs users in by OIDC and forwards to two target groups. */
export async function startLoadBalancer(options: LoadBalancerOptions): Promise<LocalLoadBalancer> {
  const file = (name: string): string | undefined =>
    options.stateDirectory === undefined ? undefined : `${options.stateDirectory}/${name}.json`;
  const faults = new FaultSwitch();
  const keyFaults = new FaultSwitch();
  const signer = new AlbSigner(file('alb-key'));
  const cookie = new SessionCookie(SESSION_LIFETIME_S, file('alb-session-key'), options.now);
  const proxy = new TargetProxy(options.idleTimeoutMs ?? 60_000, options.watchTarget);
  const listener = new Listener(options, signer, cookie, proxy);
  let keyFetches = 0;
  const keys = await serve(
    (request, response) => {
      keyFetches += 1;
      const known = request.url === `/${signer.kid}`;
      response.writeHead(known ? 200 : 404, { 'content-type': 'text/plain' });
      response.end(known ? signer.publicKeyPem() : 'not found');
    },
    keyFaults,
    options.keys,
  );
  const serving = await serve((request, response) => listener.handle(request, response), faults, {
    host: HOST,
    ...options,
  });
  listener.publicUrl = serving.url;
  return {
    url: serving.url,
    keysUrl: keys.url,
    faults,
    keyFaults,
    keyFetches: () => keyFetches,
    signer,
    clientId: options.clientId,
    issuer: () => listener.issuer,
    useIssuer: (issuer) => {
      listener.issuer = issuer;
    },
    register: (targets) => {
      proxy.targets = targets;
    },
    targets: () => proxy.targets,
    drain: (target, delayMs) => proxy.drain(target, delayMs),
    counts: proxy.counts,
    identityHeaders: (session) => listener.identityHeaders(session),
    close: async () => {
      await Promise.all([serving.close(), keys.close()]);
      proxy.close();
    },
    reset: () => {
      faults.clear();
      keyFaults.clear();
      return Promise.resolve();
    },
  };
}

class Listener {
  readonly #options: LoadBalancerOptions;
  readonly #signer: AlbSigner;
  readonly #cookie: SessionCookie;
  readonly #proxy: TargetProxy;
  /** Sign-ins that wait for the identity provider, by state. */
  readonly #pending = new Map<string, { nonce: string; returnTo: string }>();
  #configuration: Promise<oidc.Configuration> | undefined;
  publicUrl = '';
  issuer = '';

  constructor(options: LoadBalancerOptions, signer: AlbSigner, cookie: SessionCookie, proxy: TargetProxy) {
    this.#options = options;
    this.#signer = signer;
    this.#cookie = cookie;
    this.#proxy = proxy;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = urlOf(request);
    if (pathname === '/oauth2/idpresponse') {
      await this.#finishSignIn(request, response);
      return;
    }
    const rule = [...(this.#options.rules ?? []), ...RULES].find(
      ({ paths, methods }) =>
        paths.some((path) => path.test(pathname)) && (methods?.includes(request.method ?? '') ?? true),
    );
    if (rule === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found');
      return;
    }
    const session = await this.#cookie.read(cookiesOf(request));
    if (session !== undefined) {
      this.#proxy.forward(rule.target, request, response, this.identityHeaders(session));
    } else if (rule.action === 'authenticate') {
      await this.#startSignIn(request, response);
    } else {
      response.writeHead(401, { 'content-type': 'text/plain' }).end('Unauthorized');
    }
  }

  identityHeaders(session: AlbSession): Record<string, string> {
    const exp = Math.floor(Date.now() / 1000) + TOKEN_LIFETIME_S;
    const header = { iss: this.issuer, client: this.#options.clientId, signer: this.#options.arn, exp };
    return {
      'x-amzn-oidc-data': this.#signer.sign(header, { ...session.claims, exp, iss: this.issuer }),
      'x-amzn-oidc-identity': session.claims.sub,
      'x-amzn-oidc-accesstoken': session.accessToken,
    };
  }

  async #startSignIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const configuration = await this.#discover();
    const state = oidc.randomState();
    const nonce = randomBytes(32).toString('base64url');
    this.#pending.set(state, { nonce, returnTo: request.url ?? '/' });
    const target = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri(),
      scope: this.#options.scope ?? SCOPE,
      state,
      nonce,
    });
    redirect(response, target.href, [
      `${NONCE_COOKIE}=${nonce}; Path=/; Max-Age=900; HttpOnly; SameSite=None; Secure`,
    ]);
  }

  async #finishSignIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.publicUrl);
    const state = url.searchParams.get('state') ?? '';
    const pending = this.#pending.get(state);
    this.#pending.delete(state);
    if (pending === undefined || cookiesOf(request).get(NONCE_COOKIE) !== pending.nonce) {
      this.#refuse(response, 'This sign-in was not started in this browser.');
      return;
    }
    try {
      const configuration = await this.#discover();
      const checks = { expectedState: state, expectedNonce: pending.nonce, idTokenExpected: true };
      const tokens = await oidc.authorizationCodeGrant(configuration, url, checks);
      const subject = tokens.claims()?.sub ?? '';
      const claims = await oidc.fetchUserInfo(configuration, tokens.access_token, subject);
      redirect(
        response,
        pending.returnTo,
        await this.#cookie.write({ claims, accessToken: tokens.access_token }),
      );
    } catch (error) {
      if (error instanceof oidc.AuthorizationResponseError) {
        this.#refuse(response, 'The sign-in was cancelled.');
        return;
      }
      this.#proxy.counts.ELBAuthError += 1;
      this.#refuse(response, 'The identity provider could not sign you in.', statusOf(error));
    }
  }

  #discover(): Promise<oidc.Configuration> {
    const { clientId, clientSecret } = this.#options;
    const authentication = oidc.ClientSecretBasic(clientSecret);
    const options = { execute: [oidc.allowInsecureRequests] };
    this.#configuration ??= oidc
      .discovery(new URL(this.issuer), clientId, clientSecret, authentication, options)
      .catch((error: unknown) => {
        this.#configuration = undefined;
        throw error;
      });
    return this.#configuration;
  }

  #redirectUri(): string {
    return `${this.publicUrl}/oauth2/idpresponse`;
  }

  #refuse(response: ServerResponse, why: string, status = 401): void {
    const body = `<h1>You are not signed in</h1><p>${why} Nothing was shared.</p><p><a href="/docs">Sign in again</a></p>`;
    sendHtml(response, status, page({ title: 'Not signed in', brand: 'Load balancer (local)', body }));
  }
}

/**
 * An answer of the identity provider that refuses is 561; one that does not come is 500.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
 */
function statusOf(error: unknown): number {
  const isRefusal =
    error instanceof oidc.ResponseBodyError || error instanceof oidc.WWWAuthenticateChallengeError;
  return isRefusal ? 561 : 500;
}
