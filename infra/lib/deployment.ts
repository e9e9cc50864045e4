import { RegionInfo } from 'aws-cdk-lib/region-info';
import { z } from 'zod';
import { contradictions } from './contradictions.ts';
import { sentencesOf } from './fault-sentences.ts';
import { VENDORS } from './credential-provider.ts';

/** In other partitions, the load balancer's keys and the names of buckets and hosts differ. */
const KNOWN_REGIONS = new Set(
  RegionInfo.regions.map(({ name }) => name).filter((name) => RegionInfo.get(name).partition === 'aws'),
);
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
/** A text with a pattern, and the message for a mistake. */
const text = (pattern: RegExp, expected: string): z.ZodString =>
  z
    .string()
    .regex(pattern, { error: expected })
    .meta({ form: expected.replace(/^must (be|have) /, '') });
const region = (): z.ZodString =>
  text(REGION, 'must be an AWS region, such as eu-central-1').refine((name) => KNOWN_REGIONS.has(name), {
    error: 'is not a supported AWS region; the China and GovCloud partitions are not supported',
  });
const url = () => z.url({ protocol: /^https$/, error: 'must be an https URL' });
const host = (): z.ZodString => text(/^[a-z0-9.-]+$/, 'must be a host name, without https://');
const cidr = (): z.ZodString =>
  text(/^\d+\.\d+\.\d+\.\d+\/\d+$/, 'must be an IPv4 range, such as 10.42.0.0/16');
const secretName = (): z.ZodString =>
  text(/^[\w/+=.@-]{1,512}$/, "must be a secret's name in Secrets Manager");
const keyArn = (): z.ZodString =>
  text(/^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/, "must be a KMS key's ARN, arn:aws:kms:…:key/…");
const zone = (): z.ZodString =>
  text(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, "must be an availability zone's name, such as eu-central-1a");
const clientId = (): z.ZodString => text(/^[\x21-\x7e]{1,255}$/, 'must be a client id, without spaces');
const subnet = (): z.ZodString => text(/^subnet-\w+$/, "must be a subnet's id, subnet-…");
const count = (): z.ZodNumber =>
  z.int({ error: 'must be a whole number' }).min(1, { error: 'must be at least 1' });

const oidcProvider = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('entra').describe('Microsoft Entra ID'),
      tenantId: z.uuid({ error: "must be the tenant's id, a UUID" }),
    }),
    z.strictObject({
      kind: z.literal('cognito').describe('Amazon Cognito'),
      userPoolId: text(
        /^[a-z]{2}(-[a-z]+)+-\d_\w+$/,
        "must be the user pool's id, such as eu-central-1_A1b2C3d4E",
      ).describe('Its first part is the region of the pool'),
      domain: host().describe("The pool's domain"),
    }),
    z.strictObject({
      kind: z.literal('okta').describe('Okta'),
      domain: host().describe("The organization's domain"),
      authorizationServer: text(/^\w+$/, "must be the authorization server's id").default('default'),
    }),
    z.strictObject({
      kind: z.literal('custom').describe('Any other OpenID provider, by its discovery document'),
      issuer: url(),
      authorizationEndpoint: url(),
      tokenEndpoint: url(),
      userInfoEndpoint: url(),
    }),
  ],
  { error: 'must have a kind: entra, cognito, okta or custom' },
);

/** The size of the tasks of a role, and their number. */
const tasks = (cpu: 256 | 1024, memoryMiB: number, maximum: number) => ({
  cpu: z
    .literal([256, 512, 1024, 2048, 4096], { error: 'must be 256, 512, 1024, 2048 or 4096' })
    .default(cpu)
    .describe('CPU units; 1024 is one vCPU'),
  memoryMiB: count().default(memoryMiB).describe('Fargate takes some sizes with each CPU only'),
  minimum: count().default(2).describe('Tasks that always run'),
  maximum: count().default(maximum).describe('Tasks that may run'),
});

const egress = z
  .strictObject({
    cidrs: z
      .array(cidr())
      .describe(
        "Where tasks may go: GitHub's ranges; those of the load balancer's key host, public-keys.auth.elb.REGION.amazonaws.com, without which nobody can sign in; AgentCore Identity's where it is in another region; with vpcId, the VPC's own range too, where its endpoints are",
      ),
    s3PrefixListId: text(/^pl-[0-9a-f]+$/, "must be a prefix list's id, pl-…").describe(
      "S3's in this region: aws ec2 describe-managed-prefix-lists tells it",
    ),
  })
  .describe('Closes the way out but for these, on port 443. Open to everywhere when absent');

const network = z.union([
  z.strictObject({
    cidr: cidr().default('10.42.0.0/16').describe('A new VPC of this range'),
    availabilityZones: z
      .array(zone())
      .min(2, { error: 'needs at least two zones' })
      .describe('Its zones. With each comes a NAT gateway'),
    agentCoreZones: z
      .array(zone())
      .min(1, { error: 'needs at least one zone, or leave it out' })
      .optional()
      .describe(
        'The zones among them that have the endpoint of AgentCore, which serves some zones only: docs/deploy.md has the command. All of them when absent',
      ),
    egress: egress.optional(),
  }),
  z.strictObject({
    vpcId: text(/^vpc-\w+$/, "must be a VPC's id, vpc-…").describe('A VPC that is there, taken as it is'),
    availabilityZones: z.array(zone()).min(2, { error: 'needs at least two zones' }),
    publicSubnetIds: z.array(subnet()).min(2, { error: 'needs at least two subnets' }),
    privateSubnetIds: z.array(subnet()).min(2, { error: 'needs at least two subnets' }),
    egress: egress.optional(),
  }),
]);

const model = z.strictObject({
  inferenceProfileId: text(
    /^((us|eu|apac|au|ca|jp|us-gov|global)\.[\w.:-]{1,250}|arn:aws[\w-]*:bedrock:[\w-]+:\d{12}:application-inference-profile\/\w+)$/,
    'must be an inference profile: us.…, eu.…, apac.…, global.…, or the ARN of an application inference profile',
  ),
  foundationModelId: text(
    /^[\w-]+\.[\w.:-]{1,250}$/,
    'must be a model id, such as anthropic.claude-…',
  ).describe("The model behind the profile: what a system-defined profile's id has after its first part"),
  regions: z
    .array(region())
    .min(1, { error: 'needs at least one region' })
    .describe(
      'Every region that the profile may send a request to: aws bedrock get-inference-profile tells them. A global profile sends to all regions of the account: name those that you use Bedrock in',
    ),
});

/** A provider whose tools the agent offers, and its OAuth client. */
const provider = z.strictObject({
  id: text(/^[a-z][a-z0-9-]{0,31}$/, 'must be the id of a provider, such as github').describe(
    "The provider's id in the application, such as github",
  ),
  vendor: z
    .enum(VENDORS, { error: `must be one of ${VENDORS.join(', ')}` })
    .optional()
    .describe(
      'The vendor under which AgentCore Identity knows it. Needed for every provider but github, which is GithubOauth2, or CustomOauth2 where apiBase names a server of your own',
    ),
  clientId: text(/^[\x21-\x7e]{1,256}$/, 'must be a client id, without spaces').describe(
    'The OAuth client that you have registered at the provider',
  ),
  clientSecretName: secretName().describe(
    'A secret with the member clientSecret, in the region of AgentCore Identity',
  ),
  clientSecretKeyArn: keyArn()
    .optional()
    .describe('The key that encrypts that secret, where it is not AWS’s own'),
  apiBase: url()
    .optional()
    .describe(
      "The provider's REST API, where it is another than its own; of GitHub Enterprise Server https://HOST/api/v3, and users consent there as well: untried, and AgentCore Identity must reach it over the Internet",
    ),
  endpoints: z
    .strictObject({ issuer: url(), authorizationEndpoint: url(), tokenEndpoint: url() })
    .optional()
    .describe('Of the authorization server; needed for the vendor CustomOauth2, and of use for it alone'),
});
export type ProviderDeployment = z.output<typeof provider>;

/** One deployment, as a file of `infra/deployments` describes it. The file names secrets, and never contains them. */
export const members = z.strictObject({
  environment: text(/^[a-z0-9-]{1,16}$/, 'must have 1 to 16 of a-z, 0-9 and -').describe(
    'Part of every name, so that several deployments can share an account',
  ),
  account: text(/^\d{12}$/, 'must be an AWS account id of twelve digits').describe('That everything is in'),
  region: region().describe('Of the tasks, the load balancer and the bucket'),
  identityRegion: region().optional().describe('Where AgentCore Identity is, when that is another region'),
  image: text(
    /^\d{12}\.dkr\.ecr\.[\w-]+\.amazonaws\.com\/[\w./-]+@sha256:[0-9a-f]{64}$/,
    'must be an image in ECR by its digest, …dkr.ecr.REGION.amazonaws.com/NAME@sha256:…',
  )
    .optional()
    .describe(
      'The image that was tested, so that it is the one that runs. Built from this checkout when absent',
    ),
  revision: text(/^[0-9a-f]{7,40}$/, 'must be a commit id')
    .optional()
    .describe('Written into an image that is built here'),
  tags: z
    .record(z.string().min(1), z.string())
    .default({})
    .describe('On everything, beside application and environment'),
  domain: z
    .strictObject({
      name: text(/^[a-z0-9.-]+\.[a-z]{2,}$/, 'must be a domain name').describe(
        'At which users reach the load balancer',
      ),
      hostedZone: z
        .strictObject({
          id: text(/^Z\w+$/, "must be a hosted zone's id, Z…"),
          name: host().describe('The domain of the zone'),
        })
        .optional()
        .describe(
          'Route 53 gets an alias, and the certificate is validated there. Without it, certificateArn is needed',
        ),
      certificateArn: text(/^arn:aws[\w-]*:acm:/, "must be a certificate's ARN in ACM").optional(),
    })
    .describe('The name at which users reach the deployment'),
  loadBalancer: z
    .strictObject({
      internal: z.boolean().default(false).describe('In the private subnets, for a network of your own'),
      sourceCidrs: z.array(cidr()).min(1).default(['0.0.0.0/0']).describe('Who may connect to it'),
      deletionProtection: z
        .boolean()
        .default(false)
        .describe(
          'Turn it on once the first deployment stands: a first one that fails could not be rolled back',
        ),
    })
    .prefault({})
    .describe('The way in'),
  firewall: z
    .strictObject({
      requestsPerIp: count()
        .min(10, { error: 'must be at least 10' })
        .default(10_000)
        .describe('In five minutes, from one address. A company sits behind one address'),
      requestsPerSession: count()
        .min(10, { error: 'must be at least 10' })
        .default(2_000)
        .describe('In five minutes, with one sign-in session'),
    })
    .prefault({})
    .describe('Rates at which requests are refused'),
  oidc: z
    .strictObject({
      provider: oidcProvider.describe('The identity provider'),
      clientId: clientId().describe('The client that you have registered for the load balancer'),
      clientSecretName: secretName().describe("A secret that holds the client's secret, and nothing else"),
      clientSecretVersionId: text(/^[\w-]{32,64}$/, "must be a secret version's id")
        .optional()
        .describe(
          'A new version is taken when it is named here: CloudFormation looks again only where something has changed',
        ),
      scope: z.string().default('openid profile email'),
      sessionHours: count()
        .max(24, { error: 'must be at most 24' })
        .default(8)
        .describe('A stolen cookie is good for this long'),
      signOutUrl: url()
        .optional()
        .describe(
          "Where GET /sign-out leads to, to end the provider's session. Known for Entra ID, Cognito and Okta. With Cognito, https://DOMAIN/ must be a sign-out URL of its client",
        ),
    })
    .describe('How users sign in'),
  workloadTokenSource: z
    .enum(['user-id', 'jwt'], { error: 'must be user-id or jwt' })
    .default('user-id')
    .describe("How AgentCore Identity is told who the user is: by sub, or by the provider's access token"),
  logLevel: z
    .enum(['info', 'debug', 'trace'], {
      error: 'must be info, debug or trace: scaling and alarms count lines of the level info',
    })
    .default('info')
    .describe('From which level on lines are logged. Scaling and alarms count lines of the level info'),
  providers: z
    .array(provider)
    .min(1, { error: 'needs at least one provider' })
    .describe('The providers that the agent offers, each with its OAuth client'),
  model: model.describe('The language model, in Amazon Bedrock'),
  network: network.describe('Where the tasks run'),
  sessions: z
    .strictObject({
      bucketName: text(/^[a-z0-9.-]{3,63}$/, "must be a bucket's name")
        .optional()
        .describe(
          'A bucket of your own: encrypted by keyArn, versioned, closed to the public, with lifecycle rules for flows/',
        ),
      keyArn: keyArn().optional().describe('The key of that bucket'),
      keepDeletedDays: count()
        .default(30)
        .describe(
          'Old versions and deleted conversations are gone after so many days. In a bucket of your own, its rules decide',
        ),
      keepDays: count()
        .optional()
        .describe(
          'Each turn is gone so many days after it was written, also of a conversation that goes on; so is a connection that is not used. For ever when absent. In a bucket of your own, its rules decide',
        ),
    })
    .prefault({})
    .describe('The bucket of conversations, connections and the flow ledger'),
  agent: z
    .strictObject({
      ...tasks(1024, 2_048, 20),
      runsPerTask: count().default(100).describe('Runs in progress at which there should be another task'),
      runMinutes: count()
        .max(55, { error: 'must be at most 55' })
        .default(15)
        .describe(
          'How long a run may take. A task that leaves is given a minute more, so that no stream is cut',
        ),
    })
    .prefault({})
    .describe('Tasks of the agent role'),
  sessionBinding: z
    .strictObject({
      ...tasks(256, 512, 6),
      requestsPerTask: count()
        .default(600)
        .describe('Requests a minute at which there should be another task'),
    })
    .prefault({})
    .describe('Tasks of the session-binding role'),
  logRetentionDays: z
    .literal([30, 90, 180, 365], { error: 'must be 30, 90, 180 or 365' })
    .default(90)
    .describe('Of all log groups. The audit trail has its own'),
  audit: z
    .strictObject({
      lock: z
        .enum(['none', 'governance', 'compliance'], { error: 'must be none, governance or compliance' })
        .default('none')
        .describe(
          'Whether S3 Object Lock keeps audit lines from being deleted. compliance outlives everything, the account’s root user included',
        ),
      days: count().default(365).describe('How long audit lines are kept, and locked'),
    })
    .prefault({})
    .describe('The audit trail'),
  alarmEmail: z
    .email({ error: 'must be an e-mail address' })
    .optional()
    .describe('Where alarms are sent; without it they are only shown'),
  busyHours: z
    .strictObject({
      from: z.int().min(0).max(23).describe('From this hour on, UTC'),
      to: z.int().min(0).max(23).describe('Up to this hour, UTC'),
    })
    .optional()
    .describe('Hours of working days in which somebody always signs in: none at all is an alarm then'),
  monthlyBudgetUsd: count()
    .optional()
    .describe('Of everything with this application’s and environment’s tags, told to alarmEmail'),
});

/** The schema with the checks across several members. */
export const deployment = members.check((context) => {
  for (const [path, message] of contradictions(context.value))
    context.issues.push({ code: 'custom', message, path: path.split('.'), input: context.value });
});

export type Deployment = z.output<typeof members>;

/** @throws Error with a sentence for each fault and its place in the file */
export function parseDeployment(value: unknown, file: string): Deployment {
  const parsed = deployment.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap(sentencesOf);
  throw new Error(`${file} does not describe a deployment:\n${faults.map((each) => `  ${each}`).join('\n')}`);
}
