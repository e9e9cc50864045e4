import { discoveryUrl, jwksUrl } from '../../config/index.js';
import type { Check, CheckContext } from '../check.js';
import { ok, sh, wrong, type Result } from '../finding.js';
import { parseObject, type Probe } from '../probe.js';
import { unreachable } from './network.js';

/**
 * Checks that the issuer's discovery document names exactly the issuer that tokens must have. OpenID Connect Discovery 1.0,
 * 4.3.
 */
export const identityProvider: Check = {
  subject: 'identity provider',
  needs: [],
  run: async ({ config, probes }) => {
    const url = discoveryUrl(config.alb.issuer);
    const probe = await probes.get(url);
    if (!probe.reached) return [unreachable('the identity provider', url, probe.code)];
    const document = documentOf(probe);
    if (document === undefined) {
      const says = `answers ${String(probe.status)}`;
      return [
        wrong(
          `${url} ${says}, not with a discovery document`,
          sh`curl -sS ${url}`,
          'ALB_ISSUER is no issuer.',
        ),
      ];
    }
    const { issuer } = document;
    if (issuer !== config.alb.issuer) {
      const named = typeof issuer === 'string' && URL.canParse(issuer) ? issuer : undefined;
      return [
        wrong(
          `ALB_ISSUER is ${config.alb.issuer}, but the provider calls itself ${named ?? 'nothing'}: every token would be refused`,
          named === undefined ? sh`curl -sS ${url}` : sh`export ALB_ISSUER=${named}`,
        ),
      ];
    }
    if (config.role === 'agent' && config.signIn.kind === 'bearer')
      return [await keysOf(document, url, probes)];
    return [ok(config.alb.issuer)];
  },
};

/** Checks that the issuer publishes keys, when the agent role verifies access tokens itself. */
async function keysOf(
  document: Readonly<Record<string, unknown>>,
  url: string,
  probes: CheckContext['probes'],
): Promise<Result> {
  const address = jwksUrl(document)?.href;
  const keys = address === undefined ? undefined : await probes.get(address);
  const isKeys = keys?.reached === true && Array.isArray(parseObject(keys.text)?.keys);
  return isKeys
    ? ok(`${String(document.issuer)}, with keys at ${address ?? ''}`)
    : wrong('the provider publishes no keys that access tokens could be verified with', sh`curl -sS ${url}`);
}

function documentOf(probe: Probe): Readonly<Record<string, unknown>> | undefined {
  return probe.reached && probe.status === 200 ? parseObject(probe.text) : undefined;
}

/**
 * Checks that the load balancer at PUBLIC_URL signs browsers in at this provider, for this client, and that it lets nobody in
 * without a sign-in.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
export const frontDoor: Check = {
  subject: 'front door',
  needs: ['identity provider'],
  run: async (context) => {
    const pages = await Promise.all(
      ['/docs', '/oauth2/session-binding'].map((path) => pageSignsIn(context, path)),
    );
    const results = [...pages.flat(), ...(await apiIsClosed(context))];
    if (results.length > 0) return results;
    const refused = await redirectUriRefused(context);
    return refused === undefined
      ? [
          ok(
            `${context.config.service.publicUrl}: pages sign in for ${context.config.alb.clientId}, the API answers 401`,
          ),
        ]
      : [refused];
  },
};

const LISTENER = 'npm run infra:cdk -- infra/deployments/mine.json diff';

async function pageSignsIn({ config, probes }: CheckContext, path: string): Promise<Result[]> {
  const probe = await probes.get(config.service.publicUrl + path);
  const url = config.service.publicUrl + path;
  if (!probe.reached) return [wrong(`${url} does not answer (${probe.code})`, LISTENER)];
  const target = targetOf(probe);
  const endpoint = await authorizationEndpoint({ config, probes });
  if (probe.status !== 302 || target === undefined) {
    return [
      wrong(
        `${url} answers ${String(probe.status)} to a browser that is not signed in, instead of redirecting to the sign-in`,
        LISTENER,
      ),
    ];
  }
  if (target.origin + target.pathname !== endpoint) {
    return [
      wrong(`${url} signs in at ${target.origin}${target.pathname}, which is not ALB_ISSUER's`, LISTENER),
    ];
  }
  const client = target.searchParams.get('client_id') ?? '';
  return client === config.alb.clientId
    ? []
    : [
        wrong(
          `${url} signs in for the client ${client}, ALB_CLIENT_ID is ${config.alb.clientId}`,
          sh`export ALB_CLIENT_ID=${client}`,
        ),
      ];
}

async function apiIsClosed({ config, probes }: CheckContext): Promise<Result[]> {
  const routes = ['/sessions', '/openapi.json'];
  const asked = [
    probes.post(`${config.service.publicUrl}/invocations`),
    ...routes.map((path) => probes.get(config.service.publicUrl + path)),
  ];
  const answers = await Promise.all(asked);
  return ['/invocations', ...routes].flatMap((path, index) => {
    const probe = answers[index];
    if (probe?.reached !== true) return [wrong(`${path} does not answer (${probe?.code ?? ''})`, LISTENER)];
    // The application gives the same answer, but a request without a sign-in must not reach it.
    if (probe.status === 401 && !probe.byApplication) return [];
    const says = probe.byApplication ? 'forwarded' : `answered ${String(probe.status)}`;
    return [
      wrong(
        `${config.service.publicUrl}${path} without a sign-in is ${says}, instead of getting 401 from the load balancer`,
        LISTENER,
      ),
    ];
  });
}

/**
 * Follows the redirect to the provider once. A provider that checks the request before the sign-in refuses an unregistered
 * client or address.
 */
async function redirectUriRefused({ config, probes }: CheckContext): Promise<Result | undefined> {
  const signIn = await probes.get(`${config.service.publicUrl}/docs`);
  const target = targetOf(signIn);
  if (target === undefined) return undefined;
  const answer = await probes.get(target.href);
  if (!answer.reached || answer.status < 400 || answer.status > 499) return undefined;
  const redirectUri = target.searchParams.get('redirect_uri') ?? '';
  return wrong(
    `the identity provider refuses a sign-in of the client ${config.alb.clientId} that comes back to ${redirectUri}`,
    sh`curl -sS ${target.href}`,
    'Register that address as a redirect URI of the client.',
  );
}

function targetOf(probe: Probe): URL | undefined {
  return probe.reached && probe.location !== undefined && URL.canParse(probe.location)
    ? new URL(probe.location)
    : undefined;
}

async function authorizationEndpoint({
  config,
  probes,
}: Pick<CheckContext, 'config' | 'probes'>): Promise<unknown> {
  return documentOf(await probes.get(discoveryUrl(config.alb.issuer)))?.authorization_endpoint;
}
