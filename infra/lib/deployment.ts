import { z } from 'zod';
import { contradictions } from './contradictions.ts';
import { sentencesOf } from './fault-sentences.ts';
import { model, network, oidcProvider, provider } from './deployment-parts.ts';
import { cidr, clientId, count, countTo, host, keyArn, region, secretName, text, url } from './forms.ts';

const MOST_PER_DAY = 999_999_999_999;

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

/** One deployment, as a file of `infra/deployments` describes it. The file names secrets, and never contains them. */
export const members = z.strictObject({
  environment: text(/^[a-z0-9-]{1,16}$/, 'must have 1 to 16 of a-z, 0-9 and -').describe(
    'Part of every name, so that several deployments can share an account',
  ),
  account: text(/^\d{12}$/, 'must be an AWS account id of twelve digits').describe(
    'The AWS account of the deployment',
  ),
  region: region().describe('The region of the tasks, the load balancer and the bucket'),
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
    .describe('Tags of everything, beside application and environment'),
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
      sourceCidrs: z
        .array(cidr())
        .min(1)
        .default(['0.0.0.0/0'])
        .describe('The addresses that may connect to it'),
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
    .describe(
      'How AgentCore Identity learns the user: by sub, or by the access token of the identity provider',
    ),
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
          'A bucket of your own: encrypted by keyArn, versioned, closed to the public, with lifecycle rules for flows/ and tasks/',
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
          'Each turn is gone so many days after it was written, also of a conversation that goes on; so is a receipt. Connections stay. For ever when absent. In a bucket of your own, its rules decide',
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
  deadlines: z
    .strictObject({
      callSeconds: count()
        .max(60, { error: 'must be at most 60' })
        .default(10)
        .describe('Of one call of S3, AgentCore Identity or a provider, with all its attempts'),
      modelFirstByteSeconds: count()
        .max(3_500, { error: 'must be at most 3500' })
        .default(300)
        .describe('How long the model may think before its answer begins'),
      graceSeconds: z
        .int()
        .min(0)
        .max(3_500, { error: 'must be at most 3500' })
        .default(30)
        .describe('How long a run goes on when its client has lost the connection'),
      modelIdleSeconds: count()
        .max(3_500, { error: 'must be at most 3500' })
        .default(60)
        .describe('How long the model may be silent within an answer'),
    })
    .prefault({})
    .describe('How long the roles wait for other services'),
  limits: z
    .strictObject({
      runsPerUser: countTo(1_000).default(10).describe('Runs that a user may have in progress, on all tasks'),
      runsPerTask: countTo(100_000)
        .default(1_500)
        .describe('Runs that a task may have in progress. agent.runsPerTask, which adds tasks, is less'),
      requestsPerDay: countTo(MOST_PER_DAY)
        .optional()
        .describe('Runs that a user may begin on a day, which begins at midnight UTC. No limit when absent'),
      tokensPerDay: countTo(MOST_PER_DAY)
        .optional()
        .describe("Tokens of the model that a user's runs may take on a day. No limit when absent"),
      modelCallsPerRun: countTo(100).default(12).describe('How often a run may call the model'),
      modelAnswerTokens: countTo(128_000)
        .min(256, { error: 'must be at least 256' })
        .default(4_096)
        .describe('How many tokens an answer of the model may have'),
    })
    .prefault({})
    .describe('What one user, one run and one task may take'),
  sessionBinding: z
    .strictObject({
      ...tasks(256, 512, 6),
      requestsPerTask: count()
        .default(600)
        .describe('Requests a minute at which there should be another task'),
    })
    .prefault({})
    .describe('Tasks of the session-binding role'),
  telemetry: z
    .strictObject({
      endpoint: url()
        .refine((address) => !URL.canParse(address) || new URL(address).port === '', {
          error: 'must be at port 443, because tasks connect to no other one',
        })
        .describe(
          'An OTLP/HTTP endpoint without credentials, such as a collector of yours. With network.egress, its addresses must be among cidrs',
        ),
    })
    .optional()
    .describe('Where the roles send traces and metrics: docs/operations.md. None are recorded when absent'),
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
    .describe('The address that alarms are sent to; without it, alarms are only shown'),
  busyHours: z
    .strictObject({
      from: z.int().min(0).max(23).describe('From this hour on, UTC'),
      to: z.int().min(0).max(23).describe('Up to this hour, UTC'),
    })
    .optional()
    .describe('Hours of working days in which somebody always signs in: none at all is an alarm then'),
  monthlyBudgetUsd: count()
    .optional()
    .describe(
      'The budget of everything with the tags of this application and environment. alarmEmail gets its alarms',
    ),
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
