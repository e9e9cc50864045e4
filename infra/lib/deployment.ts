import { z } from 'zod';

const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
const text = (pattern: RegExp): z.ZodString => z.string().regex(pattern);
const httpsUrl = z.url({ protocol: /^https$/ });
const secretName = text(/^[\w/+=.@-]{1,512}$/);

/** How users sign in. Each kind knows its endpoints; `custom` takes them from the provider's discovery document. */
const oidcProvider = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('entra'), tenantId: z.uuid() }),
  z.strictObject({
    kind: z.literal('cognito'),
    userPoolId: text(/^[a-z0-9-]+_\w+$/),
    domain: text(/^[a-z0-9.-]+$/),
  }),
  z.strictObject({
    kind: z.literal('okta'),
    domain: text(/^[a-z0-9.-]+$/),
    authorizationServer: text(/^\w+$/).default('default'),
  }),
  z.strictObject({
    kind: z.literal('custom'),
    issuer: httpsUrl,
    authorizationEndpoint: httpsUrl,
    tokenEndpoint: httpsUrl,
    userInfoEndpoint: httpsUrl,
  }),
]);

/** How large the tasks of a role are, and how many there may be. What a file leaves out is as given here. */
const tasks = (cpu: 256 | 1024, memoryMiB: number, maximum: number) => ({
  /** 1024 is one vCPU. Fargate takes each with some sizes of memory only. */
  cpu: z.literal([256, 512, 1024, 2048, 4096]).default(cpu),
  memoryMiB: z.int().min(512).max(30_720).default(memoryMiB),
  minimum: z.int().min(1).default(2),
  maximum: z.int().min(1).default(maximum),
});

/** One deployment, as a file of `infra/deployments` describes it. Secrets are named, never given. */
export const deployment = z
  .strictObject({
    /** Part of every name, so that several deployments can share an account. */
    environment: text(/^[a-z0-9-]{1,16}$/),
    account: text(/^\d{12}$/),
    /** Of the tasks, the load balancer and the bucket. */
    region: text(REGION),
    /** Where AgentCore Identity is, when that is another region. */
    identityRegion: text(REGION).optional(),
    domain: z.strictObject({
      name: text(/^[a-z0-9.-]+\.[a-z]{2,}$/),
      /** Route 53 gets an alias, and the certificate is validated there. Without it, `certificateArn` is needed. */
      hostedZone: z.strictObject({ id: text(/^Z\w+$/), name: text(/^[a-z0-9.-]+$/) }).optional(),
      certificateArn: text(/^arn:aws[\w-]*:acm:/).optional(),
    }),
    oidc: z.strictObject({
      provider: oidcProvider,
      /** The client that you have registered for the load balancer. */
      clientId: text(/^[\x21-\x7e]{1,255}$/),
      /** A Secrets Manager secret that holds the client's secret, and nothing else. */
      clientSecretName: secretName,
      /** A new version is taken when it is named here: CloudFormation looks again only where something has changed. */
      clientSecretVersionId: text(/^[\w-]{32,64}$/).optional(),
      scope: z.string().default('openid profile email'),
      /** A stolen cookie is good for this long. */
      sessionHours: z.int().min(1).max(24).default(8),
    }),
    github: z.strictObject({
      clientId: text(/^[\w.-]{1,128}$/),
      /** A Secrets Manager secret with the member `clientSecret`, in the region of AgentCore Identity. */
      clientSecretName: secretName,
      apiBase: httpsUrl.default('https://api.github.com'),
    }),
    model: z.strictObject({
      inferenceProfileId: text(/^[\w.:-]{1,256}$/),
      /** The model behind it: what the profile's id has after its first part. */
      foundationModelId: text(/^[\w.:-]{1,256}$/),
      /** Every region that the inference profile may send a request to: aws bedrock get-inference-profile tells them. */
      regions: z.array(text(REGION)).min(1),
    }),
    network: z
      .union([
        z.strictObject({
          cidr: text(/^\d+\.\d+\.\d+\.\d+\/\d+$/).default('10.42.0.0/16'),
          zones: z.int().min(2).max(3).default(2),
        }),
        z.strictObject({
          vpcId: text(/^vpc-\w+$/),
          availabilityZones: z.array(z.string()).min(2),
          publicSubnetIds: z.array(text(/^subnet-\w+$/)).min(2),
          privateSubnetIds: z.array(text(/^subnet-\w+$/)).min(2),
        }),
      ])
      .default({ cidr: '10.42.0.0/16', zones: 2 }),
    sessions: z
      .strictObject({
        /** A bucket of your own: encrypted by `keyArn`, versioned, closed to the public. */
        bucketName: text(/^[a-z0-9.-]{3,63}$/).optional(),
        keyArn: text(/^arn:aws[\w-]*:kms:/).optional(),
        /** Old versions and deleted conversations are gone after so many days. */
        keepDeletedDays: z.int().min(1).default(30),
      })
      .default({ keepDeletedDays: 30 }),
    agent: z
      .strictObject({
        ...tasks(1024, 2048, 20),
        /** Runs in progress at which there should be another task. */
        runsPerTask: z.int().min(1).default(100),
      })
      .prefault({}),
    sessionBinding: z
      .strictObject({
        ...tasks(256, 512, 6),
        /** Requests a minute at which there should be another task. */
        requestsPerTask: z.int().min(1).default(600),
      })
      .prefault({}),
    /** Of all log groups. The audit trail is kept for 365 days, whatever this says. */
    logRetentionDays: z.union([z.literal(30), z.literal(90), z.literal(180), z.literal(365)]).default(90),
    /** Where alarms are sent; without it they are only shown. */
    alarmEmail: z.email().optional(),
    monthlyBudgetUsd: z.int().min(1).optional(),
  })
  .check((context) => {
    const { domain, sessions, agent, sessionBinding } = context.value;
    const issue = (path: string[], message: string): void => {
      context.issues.push({ code: 'custom', message, path, input: context.value });
    };
    if (domain.hostedZone === undefined && domain.certificateArn === undefined)
      issue(['domain'], 'needs hostedZone or certificateArn');
    if ((sessions.bucketName === undefined) !== (sessions.keyArn === undefined))
      issue(['sessions'], 'needs bucketName and keyArn together');
    if (agent.maximum < agent.minimum) issue(['agent', 'maximum'], 'must not be below minimum');
    if (sessionBinding.maximum < sessionBinding.minimum)
      issue(['sessionBinding', 'maximum'], 'must not be below minimum');
  });

export type Deployment = z.output<typeof deployment>;

export interface OidcEndpoints {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly userInfoEndpoint: string;
}

/** The endpoints of a sign-in, as the provider's discovery document has them. */
export function oidcEndpoints({ oidc: { provider }, region }: Deployment): OidcEndpoints {
  switch (provider.kind) {
    case 'entra': {
      const base = `https://login.microsoftonline.com/${provider.tenantId}`;
      return {
        issuer: `${base}/v2.0`,
        authorizationEndpoint: `${base}/oauth2/v2.0/authorize`,
        tokenEndpoint: `${base}/oauth2/v2.0/token`,
        userInfoEndpoint: 'https://graph.microsoft.com/oidc/userinfo',
      };
    }
    case 'cognito': {
      const base = `https://${provider.domain}/oauth2`;
      return {
        issuer: `https://cognito-idp.${region}.amazonaws.com/${provider.userPoolId}`,
        authorizationEndpoint: `${base}/authorize`,
        tokenEndpoint: `${base}/token`,
        userInfoEndpoint: `${base}/userInfo`,
      };
    }
    case 'okta': {
      const issuer = `https://${provider.domain}/oauth2/${provider.authorizationServer}`;
      return {
        issuer,
        authorizationEndpoint: `${issuer}/v1/authorize`,
        tokenEndpoint: `${issuer}/v1/token`,
        userInfoEndpoint: `${issuer}/v1/userinfo`,
      };
    }
    case 'custom': {
      const { kind: _, ...endpoints } = provider;
      return endpoints;
    }
  }
}

/** @throws Error with a sentence for each fault, by its place in the file */
export function parseDeployment(value: unknown, file: string): Deployment {
  const parsed = deployment.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || 'the whole'}: ${message}`,
  );
  throw new Error(`${file} does not describe a deployment:\n${faults.join('\n')}`);
}
