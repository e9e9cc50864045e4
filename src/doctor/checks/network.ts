import { discoveryUrl, providerVariables, type AppConfig } from '../../config/index.js';
import type { Provider } from '../../tools/index.js';
import { AwsFault } from '../aws.js';
import type { Check, CheckContext } from '../check.js';
import { ok, sh, wrong, type Result } from '../finding.js';
import { parseObject, type Probe } from '../probe.js';

/** The regions in which an inference profile can be called, by the first part of its id. */
const PROFILE_REGIONS: Readonly<Record<string, RegExp>> = {
  'us-gov': /^us-gov-/,
  us: /^us-(?!gov-)/,
  eu: /^eu-/,
  apac: /^ap-/,
  au: /^ap-southeast-/,
  jp: /^ap-northeast-/,
};
/** AWS refuses signatures that are older than five minutes; the load balancer's tokens are valid for two minutes. */
const LARGEST_CLOCK_OFFSET_MS = 60_000;
/** The id of no existing key: any answer shows that the host is reachable. */
const NO_KEY = '00000000-0000-0000-0000-000000000000';

/** Checks that all names with a region have the same one. */
export const region: Check = {
  subject: 'region',
  needs: [],
  run: ({ config, region: here }) => {
    const results: Result[] = [];
    const [, , , albRegion = ''] = config.alb.arn.split(':');
    if (albRegion !== here) {
      results.push(
        wrong(
          `ALB_ARN is in ${albRegion}, AWS_REGION is ${here}; the tasks are where their load balancer is`,
          sh`export AWS_REGION=${albRegion}`,
        ),
      );
    }
    const keyHost = new URL(config.alb.publicKeysUrl).hostname;
    if (keyHost.includes('.amazonaws.com') && !keyHost.includes(albRegion)) {
      results.push(
        wrong(
          `ALB_PUBLIC_KEYS_URL is not of ${albRegion}, where the load balancer is`,
          'unset ALB_PUBLIC_KEYS_URL',
        ),
      );
    }
    if (config.role === 'agent') results.push(...profileRegion(config.model.id, here));
    return results.length > 0 ? results : [ok(`${here}; AgentCore Identity in ${config.identity.region}`)];
  },
};

function profileRegion(id: string, here: string): Result[] {
  const [prefix = ''] = id.split('.');
  if (PROFILE_REGIONS[prefix]?.test(here) !== false) return [];
  return [
    wrong(
      `the inference profile ${id} cannot be called in ${here}`,
      sh`aws bedrock list-inference-profiles --region ${here} --query 'inferenceProfileSummaries[].inferenceProfileId'`,
    ),
  ];
}

/** Checks that each address answers, whatever the answer is. */
export const reachability: Check = {
  subject: 'reachability',
  needs: [],
  run: async (context) => {
    const answers = await Promise.all([...probesOf(context), ...callsOf(context)]);
    const faults = answers.filter((answer) => answer !== undefined);
    return faults.length > 0 ? faults : [ok(`${String(answers.length)} services answer`)];
  },
};

/** An address to check, and the result when another service answers there. */
interface Address {
  readonly name: string;
  readonly url: string;
  readonly isRight?: (probe: Probe) => boolean;
  readonly otherwise?: (url: string) => Result;
}

function probesOf({ config, probes, providers }: CheckContext): Promise<Result | undefined>[] {
  const addresses: readonly Address[] = [
    { name: "the load balancer's key host", url: `${config.alb.publicKeysUrl}/${NO_KEY}` },
    { name: 'the identity provider', url: discoveryUrl(config.alb.issuer) },
    { name: 'PUBLIC_URL', url: `${config.service.publicUrl}/docs` },
    ...providers.flatMap((provider) => apiOf(config, provider)),
  ];
  return addresses.map(async ({ name, url, isRight, otherwise }) => {
    const probe = await probes.get(url);
    if (!probe.reached) return unreachable(name, url, probe.code);
    return isRight?.(probe) === false ? otherwise?.(url) : undefined;
  });
}

function apiOf(config: AppConfig, provider: Provider): readonly Address[] {
  const own = config.role === 'agent' ? config.providers[provider.id] : undefined;
  if (own === undefined) return [];
  const { label, apiBase, diagnosis } = provider;
  const { name } = providerVariables(provider).apiBase;
  if (diagnosis === undefined) return [{ name, url: own.apiBase }];
  return [
    {
      name,
      url: own.apiBase + diagnosis.probePath,
      isRight: (probe) => {
        const answer = probe.reached ? parseObject(probe.text) : undefined;
        return answer !== undefined && diagnosis.probeMembers.some((member) => member in answer);
      },
      otherwise: (url) =>
        wrong(
          `${name} (${url}) does not answer like ${label}'s REST API`,
          `export ${name}=${apiBase}`,
          `Or the address of the same API on a server of your own.`,
        ),
    },
  ];
}

function callsOf({ config, aws }: CheckContext): Promise<Result | undefined>[] {
  const calls: (readonly [name: string, call: Promise<unknown>])[] = [['AWS STS', aws.caller()]];
  if (config.role === 'agent') {
    const { workloadIdentityName: workload, sessionBindingUrl: returnUrl } = config.identity;
    const begin = ({ credentialProvider }: { credentialProvider: string }): Promise<unknown> =>
      aws.authorizationUrl({ workload, provider: credentialProvider, returnUrl });
    calls.push(
      ["AgentCore Identity's control plane", aws.workloadIdentity(workload)],
      ['AgentCore Identity', Promise.all(Object.values(config.providers).map(begin))],
      ['Amazon S3', aws.bucket(config.conversations.bucket)],
      ['Amazon Bedrock', aws.model(config.model.id)],
    );
  } else {
    calls.push(['AgentCore Identity', aws.completion()]);
  }
  return calls.map(async ([name, call]) => {
    try {
      await call;
      return undefined;
    } catch (error) {
      if (!(error instanceof AwsFault)) throw error;
      if (error.kind !== 'unreachable') return undefined;
      return unreachable(name, error.origin ?? 'https://unknown', error.code);
    }
  });
}

/** The reason why there was no answer, and the advice for it. */
export function unreachable(what: string, url: string, code: string): Result {
  const { hostname, host, origin } = new URL(url);
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN'
    ? wrong(
        `${what} (${hostname}): no such name`,
        sh`nslookup ${hostname}`,
        'Check that the name is correct and that the service is offered in that region.',
      )
    : wrong(
        `${what} (${host}) does not answer: ${code}`,
        sh`curl -v ${`${origin}/`}`,
        'Check the route, the NAT gateway, the endpoint and the security groups on the way.',
      );
}

/** Checks that the clock of this machine agrees with the clocks of the services. */
export const clock: Check = {
  subject: 'clock',
  needs: [],
  run: ({ aws, probes }) => {
    const offsets = [...aws.clockOffsets, ...probes.clockOffsets].toSorted((a, b) => a - b);
    const median = offsets[Math.floor(offsets.length / 2)];
    if (median === undefined) {
      return [wrong('no service answered with the time', 'date -u', 'Fix the faults above first.')];
    }
    const seconds = Math.round(median / 1000);
    return Math.abs(median) <= LARGEST_CLOCK_OFFSET_MS
      ? [ok(`${String(Math.abs(seconds))} s from the clocks of the services`)]
      : [
          wrong(
            `this machine is ${String(Math.abs(seconds))} s ${seconds > 0 ? 'slow' : 'fast'}; tokens and signatures will be refused`,
            'sudo timedatectl set-ntp true && sudo systemctl restart systemd-timesyncd',
          ),
        ];
  },
};

/** Checks that the credentials belong to the deployment's account. */
export const credentials: Check = {
  subject: 'credentials',
  needs: [],
  run: async ({ config, aws }) => {
    const { account, arn } = await aws.caller();
    const [, , , , albAccount = ''] = config.alb.arn.split(':');
    return account === albAccount
      ? [ok(arn)]
      : [
          wrong(
            `they belong to the account ${account}; ALB_ARN belongs to ${albAccount}`,
            'aws configure list-profiles',
            `Choose one of the account ${albAccount}: export AWS_PROFILE=NAME.`,
          ),
        ];
  },
};
