import type { LocalStack } from '../../local/stack.ts';

export type Environment = Record<string, string>;

/** A fault of the deployment: how to plant it, the subjects that become wrong, and their texts. */
export interface PlantedFault {
  readonly name: string;
  readonly plant: (environment: Environment, stack: LocalStack) => void;
  readonly found: Readonly<Record<string, RegExp>>;
  /** A part of the command that fixes it. */
  readonly fix: RegExp;
  readonly waiting?: readonly string[];
}

/** No service listens on this port. */
const CLOSED = 'http://127.0.0.1:9';

/** The faults of variables, addresses, clocks, credentials, the identity provider and the front door. */
export const FAULTS: readonly PlantedFault[] = [
  {
    name: 'missing and malformed variables, all at once',
    plant: (environment) => {
      environment.FLOW_SECRET = 'short';
      environment.S3_BUCKET_NAME = '';
      environment.SESSION_BINDING_URL = 'https://elsewhere.example.com/oauth2/session-binding';
    },
    found: {
      variables: /FLOW_SECRET is not valid.*S3_BUCKET_NAME is missing.*SESSION_BINDING_URL is not valid/s,
    },
    fix: /openssl rand -base64 48.*export S3_BUCKET_NAME=.*unset SESSION_BINDING_URL/s,
  },
  {
    name: 'a load balancer of another region',
    plant: (environment) => {
      environment.ALB_ARN = environment.ALB_ARN?.replace('eu-central-1', 'eu-west-1') ?? '';
    },
    found: { region: /ALB_ARN is in eu-west-1, AWS_REGION is eu-central-1/ },
    fix: /export AWS_REGION=eu-west-1/,
  },
  {
    name: 'the key host of another region',
    plant: (environment) => {
      environment.ALB_PUBLIC_KEYS_URL = 'https://public-keys.auth.elb.us-east-1.amazonaws.com';
    },
    found: { region: /ALB_PUBLIC_KEYS_URL is not of eu-central-1/, reachability: /key host/ },
    fix: /unset ALB_PUBLIC_KEYS_URL/,
  },
  {
    name: 'an inference profile of another continent',
    plant: (environment) => {
      environment.INFERENCE_PROFILE_ID = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
    },
    found: { region: /cannot be called in eu-central-1/ },
    fix: /aws bedrock list-inference-profiles --region eu-central-1/,
  },
  {
    name: 'a service that is down',
    plant: (environment) => {
      environment.AWS_ENDPOINT_URL_BEDROCK_AGENTCORE = CLOSED;
    },
    found: { reachability: /AgentCore Identity \(127\.0\.0\.1:9\) does not answer: ECONNREFUSED/ },
    fix: /curl -v http:\/\/127\.0\.0\.1:9\//,
    waiting: ['callback URL'],
  },
  {
    name: 'a service that cuts the connection',
    plant: (_, stack) => {
      stack.s3.faults.plan(/./, { kind: 'reset' });
    },
    found: { reachability: /Amazon S3 \(127\.0\.0\.1:\d+\) does not answer: ECONNRESET/ },
    fix: /curl -v/,
    waiting: ['bucket', 'key'],
  },
  {
    name: 'a service that says nothing',
    plant: (_, stack) => {
      stack.loadBalancer.keyFaults.plan(/./, { kind: 'hang' });
    },
    found: { reachability: /key host \(127\.0\.0\.1:\d+\) does not answer: TimeoutError/ },
    fix: /curl -v/,
  },
  {
    name: 'a name that does not exist',
    plant: (environment) => {
      environment.GITHUB_API_BASE = 'https://api.github.invalid';
    },
    found: { reachability: /GITHUB_API_BASE \(api\.github\.invalid\): no such name/ },
    fix: /nslookup api\.github\.invalid/,
  },
  {
    name: "an address that is not GitHub's API",
    plant: (_, stack) => {
      stack.gitHub.faults.plan(/./, { kind: 'answer', status: 200, body: '<html>GitHub</html>' });
    },
    found: { reachability: /does not answer like GitHub's REST API/ },
    fix: /export GITHUB_API_BASE=https:\/\/api\.github\.com/,
  },
  {
    name: "an unreachable KMS, which only the bucket's settings reveal",
    plant: (environment) => {
      environment.AWS_ENDPOINT_URL_KMS = CLOSED;
    },
    found: { key: /kms:DescribeKey \(127\.0\.0\.1:9\) does not answer: ECONNREFUSED/ },
    fix: /curl -v/,
  },
  ...[-600, 600].map((seconds): PlantedFault => ({
    name: `a clock that is ${seconds > 0 ? 'slow' : 'fast'}`,
    plant: (_, stack) => {
      for (const part of [stack.agentCoreIdentity, stack.bedrock, stack.s3, stack.account])
        part.faults.plan(/./, { kind: 'clock', ms: seconds * 1000 });
    },
    found: { clock: new RegExp(`this machine is (599|600|601) s ${seconds > 0 ? 'slow' : 'fast'}`) },
    fix: /timedatectl set-ntp true/,
  })),
  {
    name: 'no credentials',
    plant: (environment) => {
      environment.AWS_ACCESS_KEY_ID = '';
      environment.AWS_EC2_METADATA_DISABLED = 'true';
    },
    found: { credentials: /AWS does not accept them: CredentialsProviderError/ },
    fix: /aws sso login/,
    waiting: [
      'workload identity',
      'return URLs',
      'credential provider',
      'callback URL',
      'bucket',
      'key',
      'model',
    ],
  },
  {
    name: 'credentials that AWS does not know',
    plant: (environment) => {
      environment.AWS_ACCESS_KEY_ID = 'AKIANOBODY';
    },
    found: { credentials: /AWS does not accept them: InvalidClientTokenId/ },
    fix: /aws sso login/,
  },
  {
    name: 'credentials of another account',
    plant: (environment) => {
      environment.ALB_ARN = environment.ALB_ARN?.replace('111122223333', '444455556666') ?? '';
    },
    found: { credentials: /belong to the account 111122223333; ALB_ARN belongs to 444455556666/ },
    fix: /aws configure list-profiles.*export AWS_PROFILE=NAME/s,
  },
  {
    name: 'an issuer that the provider writes in another way',
    plant: (environment) => {
      environment.ALB_ISSUER = `${environment.ALB_ISSUER ?? ''}/`;
    },
    found: { 'identity provider': /but the provider calls itself http:\/\/127\.0\.0\.1:\d+: every token/ },
    fix: /export ALB_ISSUER=http:\/\/127\.0\.0\.1:\d+$/,
    waiting: ['front door'],
  },
  {
    name: 'an issuer that is not an OpenID provider',
    plant: (environment, stack) => {
      environment.ALB_ISSUER = stack.gitHub.url;
    },
    found: { 'identity provider': /answers 404, not with a discovery document/ },
    fix: /curl -sS .*openid-configuration/,
    waiting: ['front door'],
  },
  {
    name: "a client id that is not the listener's",
    plant: (environment) => {
      environment.ALB_CLIENT_ID = 'other';
    },
    found: { 'front door': /signs in for the client onbehalf-local, ALB_CLIENT_ID is other/ },
    fix: /export ALB_CLIENT_ID=onbehalf-local/,
  },
  {
    name: 'a rule that lets everybody in',
    plant: (_, stack) => {
      stack.loadBalancer.faults.plan(/^(GET \/docs|POST \/invocations)$/, {
        kind: 'answer',
        status: 200,
        body: 'in',
      });
    },
    found: {
      'front door':
        /\/docs answers 200 to a browser that is not signed in.*\/invocations without a sign-in is answered 200/s,
    },
    fix: /npm run infra:cdk -- infra\/deployments\/mine\.json diff/,
  },
  {
    name: 'a rule that forwards without a sign-in, so that only the application refuses',
    plant: (_, stack) => {
      const headers = { 'content-type': 'application/problem+json' };
      stack.loadBalancer.faults.plan(/^GET \/sessions$/, {
        kind: 'answer',
        status: 401,
        headers,
        body: '{}',
      });
    },
    found: {
      'front door':
        /\/sessions without a sign-in is forwarded, instead of getting 401 from the load balancer/,
    },
    fix: /mine\.json diff/,
  },
  {
    name: 'a provider without keys, when the agent role verifies access tokens',
    plant: (environment, stack) => {
      environment.SIGN_IN = 'bearer';
      const issuer = stack.identityProvider.url;
      const body = JSON.stringify({ issuer, authorization_endpoint: `${issuer}/auth` });
      stack.identityProvider.faults.plan(/well-known/, { kind: 'answer', status: 200, body });
    },
    found: { 'identity provider': /publishes no keys that access tokens could be verified with/ },
    fix: /curl -sS .*openid-configuration/,
  },
  {
    name: 'a sign-in at another provider',
    plant: (_, stack) => {
      const headers = { location: 'https://login.example.com/authorize?client_id=onbehalf-local' };
      stack.loadBalancer.faults.plan(/^GET/, { kind: 'answer', status: 302, headers });
    },
    found: {
      'front door': /signs in at https:\/\/login\.example\.com\/authorize, which is not ALB_ISSUER's/,
    },
    fix: /npm run infra:cdk -- infra\/deployments\/mine\.json diff/,
  },
  {
    name: 'a redirect URI that the identity provider does not know',
    plant: (_, stack) => {
      stack.identityProvider.faults.plan(/^GET \/(?!\.well-known)/, { kind: 'answer', status: 400 });
    },
    found: {
      'front door':
        /refuses a sign-in of the client onbehalf-local that comes back to http:\/\/localhost:\d+\/oauth2\/idpresponse/,
    },
    fix: /Register that address as a redirect URI/,
  },
];
