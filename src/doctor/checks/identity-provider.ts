import type { Check, Patient } from '../check.js';
import { ok, quote, wrong, type Result } from '../finding.js';
import { parseObject, type Probe } from '../probe.js';

export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Does the issuer's discovery document name the very issuer that tokens must have? OpenID Connect Discovery 1.0, 4.3. */
export const identityProvider: Check = {
  subject: 'identity provider',
  needs: [],
  run: async ({ config, probes }) => {
    const url = discoveryUrl(config.alb.issuer);
    const probe = await probes.get(url);
    const document = documentOf(probe);
    if (document === undefined) {
      const says = probe.reached ? `answers ${String(probe.status)}` : `does not answer (${probe.code})`;
      return [
        wrong(
          `${url} ${says}, not with a discovery document`,
          `curl -sS ${url}   # ALB_ISSUER is not an issuer`,
        ),
      ];
    }
    const { issuer } = document;
    if (issuer !== config.alb.issuer) {
      const named = typeof issuer === 'string' && URL.canParse(issuer) ? issuer : undefined;
      return [
        wrong(
          `ALB_ISSUER is ${config.alb.issuer}, but the provider calls itself ${named ?? 'nothing'}: every token would be refused`,
          named === undefined ? `curl -sS ${url}` : `export ALB_ISSUER=${quote(named)}`,
        ),
      ];
    }
    return [ok(config.alb.issuer)];
  },
};

function documentOf(probe: Probe): Readonly<Record<string, unknown>> | undefined {
  return probe.reached && probe.status === 200 ? parseObject(probe.text) : undefined;
}

/**
 * Does the load balancer at PUBLIC_URL sign browsers in at this provider, for this client, and let nobody in without?
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
export const frontDoor: Check = {
  subject: 'front door',
  needs: ['identity provider'],
  run: async (patient) => {
    const pages = await Promise.all(
      ['/docs', '/oauth2/session-binding'].map((path) => pageSignsIn(patient, path)),
    );
    const results = [...pages.flat(), ...(await apiIsClosed(patient))];
    if (results.length > 0) return results;
    const refused = await redirectUriRefused(patient);
    return refused === undefined
      ? [
          ok(
            `${patient.config.publicUrl}: pages sign in for ${patient.config.alb.clientId}, the API answers 401`,
          ),
        ]
      : [refused];
  },
};

const LISTENER = 'npm run infra:cdk -- infra/deployments/yours.json diff   # then deploy';

async function pageSignsIn({ config, probes }: Patient, path: string): Promise<Result[]> {
  const probe = await probes.get(config.publicUrl + path);
  const url = config.publicUrl + path;
  if (!probe.reached) return [wrong(`${url} does not answer (${probe.code})`, LISTENER)];
  const target = targetOf(probe);
  const endpoint = await authorizationEndpoint({ config, probes });
  if (probe.status !== 302 || target === undefined) {
    return [
      wrong(
        `${url} answers ${String(probe.status)} to who is not signed in, instead of signing in`,
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
          `export ALB_CLIENT_ID=${quote(client)}`,
        ),
      ];
}

async function apiIsClosed({ config, probes }: Patient): Promise<Result[]> {
  const url = `${config.publicUrl}/invocations`;
  const probe = await probes.post(url);
  if (probe.reached && probe.status === 401) return [];
  const says = probe.reached ? String(probe.status) : `nothing (${probe.code})`;
  return [wrong(`POST ${url} without a sign-in is answered ${says} instead of 401`, LISTENER)];
}

/** Follows the redirect to the provider once; one that checks before it asks who is there refuses what is not registered. */
async function redirectUriRefused({ config, probes }: Patient): Promise<Result | undefined> {
  const signIn = await probes.get(`${config.publicUrl}/docs`);
  const target = targetOf(signIn);
  if (target === undefined) return undefined;
  const answer = await probes.get(target.href);
  if (!answer.reached || answer.status < 400 || answer.status > 499) return undefined;
  const redirectUri = target.searchParams.get('redirect_uri') ?? '';
  return wrong(
    `the identity provider refuses a sign-in of the client ${config.alb.clientId} that comes back to ${redirectUri}`,
    `curl -sS ${quote(target.href)}   # register that address as a redirect URI of the client`,
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
}: Pick<Patient, 'config' | 'probes'>): Promise<unknown> {
  return documentOf(await probes.get(discoveryUrl(config.alb.issuer)))?.authorization_endpoint;
}
