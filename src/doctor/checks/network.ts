import { discoveryUrl } from '../../config/index.js';
import { AwsFault } from '../aws.js';
import type { Check, Patient } from '../check.js';
import { ok, sh, wrong, type Result } from '../finding.js';
import { parseObject, type Probe } from '../probe.js';

/** Where the first part of an inference profile's id lets it be called. */
const PROFILE_REGIONS: Readonly<Record<string, RegExp>> = {
  'us-gov': /^us-gov-/,
  us: /^us-(?!gov-)/,
  eu: /^eu-/,
  apac: /^ap-/,
  au: /^ap-southeast-/,
  jp: /^ap-northeast-/,
};
/** AWS refuses signatures of more than five minutes ago; the load balancer's tokens are good for two. */
const LARGEST_CLOCK_OFFSET_MS = 60_000;
/** Nobody's key: any answer shows that the host is there. */
const NO_KEY = '00000000-0000-0000-0000-000000000000';

/** Do the names that carry a region agree on it? */
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
    return results.length > 0 ? results : [ok(`${here}; AgentCore Identity in ${config.identityRegion}`)];
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

/** Does each address answer, whatever it says? */
export const reachability: Check = {
  subject: 'reachability',
  needs: [],
  run: async (patient) => {
    const answers = await Promise.all([...probesOf(patient), ...callsOf(patient)]);
    const faults = answers.filter((answer) => answer !== undefined);
    return faults.length > 0 ? faults : [ok(`${String(answers.length)} services answer`)];
  },
};

function probesOf({ config, probes }: Patient): Promise<Result | undefined>[] {
  const addresses: (readonly [name: string, url: string, isRight?: (probe: Probe) => boolean])[] = [
    ["the load balancer's key host", `${config.alb.publicKeysUrl}/${NO_KEY}`],
    ['the identity provider', discoveryUrl(config.alb.issuer)],
    ['PUBLIC_URL', `${config.publicUrl}/docs`],
  ];
  if (config.role === 'agent')
    addresses.push(['GITHUB_API_BASE', `${config.github.apiBase}/rate_limit`, isGitHub]);
  return addresses.map(async ([name, url, isRight]) => {
    const probe = await probes.get(url);
    if (!probe.reached) return unreachable(name, url, probe.code);
    if (isRight?.(probe) === false) {
      return wrong(
        `${name} (${url}) does not answer like GitHub's REST API`,
        'export GITHUB_API_BASE=https://api.github.com',
        'GitHub Enterprise Server has it at https://HOST/api/v3.',
      );
    }
    return undefined;
  });
}

/** What GitHub's REST API says of limits; or, where there are none or nobody is signed in, a message. */
function isGitHub(probe: Probe): boolean {
  const answer = probe.reached ? parseObject(probe.text) : undefined;
  return answer !== undefined && ('resources' in answer || 'message' in answer);
}

function callsOf({ config, aws }: Patient): Promise<Result | undefined>[] {
  const calls: (readonly [name: string, call: Promise<unknown>])[] = [['AWS STS', aws.caller()]];
  if (config.role === 'agent') {
    const { workloadIdentityName: workload, github } = config;
    const query = { workload, provider: github.credentialProvider, returnUrl: config.sessionBindingUrl };
    calls.push(
      ["AgentCore Identity's control plane", aws.workloadIdentity(workload)],
      ['AgentCore Identity', aws.authorizationUrl(query)],
      ['Amazon S3', aws.bucket(config.bucket)],
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

/** Why there was no answer, and where to look. */
export function unreachable(what: string, url: string, code: string): Result {
  const { hostname, host, origin } = new URL(url);
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN'
    ? wrong(
        `${what} (${hostname}): no such name`,
        sh`nslookup ${hostname}`,
        'Is the service offered in that region, and the name right?',
      )
    : wrong(
        `${what} (${host}) does not answer: ${code}`,
        sh`curl -v ${`${origin}/`}`,
        'Look at the route, the NAT gateway, the endpoint and the security groups on the way.',
      );
}

/** Is this machine's time that of the services? */
export const clock: Check = {
  subject: 'clock',
  needs: [],
  run: ({ aws, probes }) => {
    const offsets = [...aws.clockOffsets, ...probes.clockOffsets].toSorted((a, b) => a - b);
    const median = offsets[Math.floor(offsets.length / 2)];
    if (median === undefined) {
      return [wrong('no service that answers tells the time', 'date -u', 'Mend what is wrong above.')];
    }
    const seconds = Math.round(median / 1000);
    return Math.abs(median) <= LARGEST_CLOCK_OFFSET_MS
      ? [ok(`${String(Math.abs(seconds))} s from that of the services`)]
      : [
          wrong(
            `this machine is ${String(Math.abs(seconds))} s ${seconds > 0 ? 'slow' : 'fast'}; tokens and signatures will be refused`,
            'sudo timedatectl set-ntp true && sudo systemctl restart systemd-timesyncd',
          ),
        ];
  },
};

/** Who asks, and is that the account of the deployment? */
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
            `they are of the account ${account}; ALB_ARN is of ${albAccount}`,
            'aws configure list-profiles',
            `Choose one of the account ${albAccount}: export AWS_PROFILE=NAME.`,
          ),
        ];
  },
};
